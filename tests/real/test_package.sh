#!/bin/bash
# slow
# timeout: 900
# The Debian packages are built, installed on a clean Debian root and used there.
. "$TOP/tests/lib.sh"

[ "$(id -u)" = 0 ] || skip "only root may make a Debian root"
"$TOP/tests/install.sh" package

# A checkout of its own: what is packed is what is committed.
git clone -q "$TOP" "$WORK/cowspy" || wrong "git clone"
if ! make -C "$WORK/cowspy" deb >"$WORK/build" 2>&1; then
	tail -20 "$WORK/build"
	wrong "make deb"
	exit 1
fi
packages=("$WORK"/cowspy/build/debian/{cowspy_,libcowspy-dev_}*.deb)

# Its packages come from where this machine's come from.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' | grep -v -- - | sort -u | head -1)
needs=$(dpkg-deb -f "${packages[0]}" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/ //g')
root=$WORK/root
if ! debootstrap --variant=minbase --include="$needs" "${mirror#* }" "$root" "${mirror% *}" \
	>"$WORK/debootstrap" 2>&1; then
	tail -5 "$WORK/debootstrap"
	wrong "debootstrap"
	exit 1
fi
trap 'umount "$root/proc"; finish' EXIT
mount -t proc proc "$root/proc"
cp "${packages[@]}" "$root/tmp"

inside()
{
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

inside sh -c 'dpkg -i /tmp/*.deb' >"$WORK/dpkg" 2>&1 || wrong "dpkg: $(cat "$WORK/dpkg")"
expect_equal "version" "cowspy $(dpkg-deb -f "${packages[0]}" Version | sed 's/-.*//')" \
	"$(inside cowspy --version)"
inside cowspy record -o /tmp/recording -- perl -e 'my @a = (1) x 100000; fork; $a[7]++; wait' \
	>"$WORK/record" 2>&1 || wrong "cowspy record: $(cat "$WORK/record")"
inside cowspy report /tmp/recording >"$WORK/report" || wrong "cowspy report"
grep -q "Perl_" "$WORK/report" || wrong "no function of perl in: $(cat "$WORK/report")"
[ -e "$root/usr/include/cowspy.h" ] || wrong "no cowspy.h"
# By its bare name, as a library of the system.
inside env LD_PRELOAD=libcowspy.so perl -e '' 2>"$WORK/preloaded" || wrong "LD_PRELOAD: status"
grep -q '^cowspy: ' "$WORK/preloaded" || wrong "LD_PRELOAD: $(cat "$WORK/preloaded")"
inside sh -c 'dpkg --purge libcowspy-dev cowspy' >"$WORK/dpkg" 2>&1 || wrong "purge"
expect_equal "left after purging" "" "$(find "$root/usr" -name '*cowspy*')"
