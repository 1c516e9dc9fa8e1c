#!/bin/bash
# sqlite3 with its database mapped into memory: results and the file itself, byte by byte.
. "$TOP/tests/lib.sh"

cat >"$WORK/script.sql" <<'SQL'
PRAGMA page_size = 4096;
PRAGMA mmap_size = 268435456;
PRAGMA journal_mode = WAL;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, value REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
	INSERT INTO item SELECT i, 'item ' || i, i * 0.5 FROM n;
CREATE INDEX item_name ON item (name);
SELECT count(*), sum(value) FROM item;
UPDATE item SET value = value + 1 WHERE id % 7 = 0;
DELETE FROM item WHERE id % 11 = 0;
SELECT name, value FROM item WHERE name LIKE 'item 4999%' ORDER BY name;
SELECT id % 10 AS digit, count(*), avg(value) FROM item GROUP BY digit ORDER BY digit;
PRAGMA integrity_check;
PRAGMA wal_checkpoint(TRUNCATE);
VACUUM;
SELECT group_concat(name, ',') FROM (SELECT name FROM item ORDER BY value DESC LIMIT 20);
SQL
"$TOP/tests/real/compare.sh" --files '*.db' --stdin "$WORK/script.sql" sqlite3 test.db ||
	wrong "sqlite3"
COWSPY_SCOPE=all "$TOP/tests/real/compare.sh" --files '*.db' --stdin "$WORK/script.sql" \
	sqlite3 test.db || wrong "sqlite3, all watched from the start"

# One writer, two readers and a checkpointer at once, on one log: no reader may see half a transfer.
cat >"$WORK/transfers.sh" <<'SH'
sql() { sqlite3 -cmd '.timeout 20000' accounts.db; }
echo "PRAGMA journal_mode = WAL; CREATE TABLE account (id INTEGER PRIMARY KEY, value INTEGER);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
	INSERT INTO account SELECT i, 100 FROM n;" | sql
for i in $(seq 300); do
	echo "BEGIN IMMEDIATE; UPDATE account SET value = value - $i WHERE id = $((i % 500 + 1));
		UPDATE account SET value = value + $i WHERE id = $((i * 7 % 500 + 1)); COMMIT;"
done | sql &
for reader in 1 2; do
	seq 100 | sed 's/.*/SELECT sum(value), count(*) FROM account;/' | sql | sort -u >sums.$reader &
done
seq 20 | sed 's/.*/PRAGMA wal_checkpoint(PASSIVE);/' | sql >/dev/null &
wait
cat sums.*
echo "PRAGMA integrity_check; SELECT sum(value), sum(value * id) FROM account;" | sql
SH
COWSPY_SCOPE=all "$TOP/tests/real/compare.sh" sh "$WORK/transfers.sh" || wrong "sqlite3, several"
