<?php
/* Arrays that are copied on write, a generator, forks, signals, the JIT's and PCRE's own memory. */
$all = [];
for ($i = 0; $i < 200000; $i++)
	$all["key $i"] = [$i, "value $i"];
$copy = $all;
for ($i = 0; $i < 200000; $i += 3)
	$copy["key $i"][0] = -1;
echo count($all), ' ', array_sum(array_column($all, 0)), ' ', array_sum(array_column($copy, 0)), "\n";
function squares($limit) { for ($i = 0; $i < $limit; $i++) yield $i * $i; }
echo array_sum(iterator_to_array(squares(50000))), "\n";
$text = str_repeat('The quick brown fox. ', 20000);
echo preg_match_all('/(?<word>\b[a-z]+\b)(?=.)/i', $text), ' ', crc32(preg_replace('/o./', 'X', $text)), "\n";
class Node { public $other; public $data; }
for ($i = 0; $i < 100000; $i++) {
	$a = new Node; $b = new Node;
	$a->other = $b; $b->other = $a; $a->data = range(1, 5);
}
echo gc_collect_cycles() >= 0 ? "collected\n" : "";
if (function_exists('pcntl_fork')) {
	pcntl_async_signals(true);
	pcntl_signal(SIGUSR2, function () { echo "signal\n"; });
	posix_kill(posix_getpid(), SIGUSR2);
	$child = pcntl_fork();
	if (!$child) {
		foreach ($all as $key => $value)
			$all[$key][0]++;
		echo 'child ', array_sum(array_column($all, 0)), "\n";
		exit(3);
	}
	pcntl_waitpid($child, $status);
	echo pcntl_wexitstatus($status), ' ', array_sum(array_column($all, 0)), "\n";
}
echo shell_exec('echo from a shell');
exit(6);
