# A large hash, handlers for SIGSEGV and SIGALRM, a fork that writes.
use strict;
use warnings;
$| = 1;
my %all;
$all{$_} = "x$_" for 1 .. 200000;
print scalar(keys %all), "\n";
$SIG{SEGV} = sub { print "SIGSEGV\n" };
kill 'SEGV', $$;
local $SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; select(undef, undef, undef, 5); };
print $@;
my $child = fork;
if (!$child) {
	$all{$_} = 'y' for 1 .. 1000;
	exit($all{1000} eq 'y' ? 3 : 1);
}
waitpid $child, 0;
print $? >> 8, " $all{1000}\n";
print `echo from a shell`;
