#!/bin/bash
# curl on loopback, everything it has under watch from the start: downloads one by one and at once,
# parts, uploads, pipes, a server that resets; and a certificate made by openssl for TLS.
. "$TOP/tests/lib.sh"

type curl openssl >/dev/null 2>&1 || skip "curl or openssl is not installed"
export COWSPY_SCOPE=all

mkdir "$WORK/root"
seq 300000 >"$WORK/root/long"
echo short >"$WORK/root/short"
(cd "$WORK/root" && exec /usr/bin/python3 -u -m http.server --bind 127.0.0.1 0) >"$WORK/log" 2>&1 &
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key" -out "$WORK/certificate" -days 2 \
	-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
for _ in $(seq 200); do
	port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$WORK/log")
	[ -z "$port" ] || break
	sleep 0.05
done
(cd "$WORK/root" && exec /usr/bin/python3 -c '
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()' "$WORK/certificate" "$WORK/key") >"$WORK/secure" 2>/dev/null &
for _ in $(seq 200); do
	secure=$(cat "$WORK/secure")
	[ -z "$secure" ] || break
	sleep 0.05
done

compare()
{
	"$TOP/tests/real/compare.sh" --filter 's/after [0-9]+ ms/after TIME/; s/^(Date|< Date).*//' "$@" ||
		wrong "$*"
}

url=http://127.0.0.1:$port
compare curl -sS "$url/long"
compare curl -sS -i "$url/short" "$url/missing"
compare curl -sS -r 1000-200000 "$url/long"
compare curl -sS "$url/short" "file://$WORK/root/long"
compare --files 'copy*' curl -sS --no-progress-meter --parallel --parallel-immediate -o 'copy#1' "$url/long?{1,2,3,4,5,6}"
compare curl -sS --data-binary "@$WORK/root/long" "$url/short"
compare --stdin "$WORK/root/long" curl -sS -T - "$url/put"
compare curl -sS --cacert "$WORK/certificate" "https://127.0.0.1:$secure/long"
compare curl -sS "https://127.0.0.1:$secure/short"
compare curl -sS --connect-timeout 2 http://127.0.0.1:1/
compare sh -c "curl -sS $url/long | sort -rn | curl -sS -o - file:///dev/stdin"
