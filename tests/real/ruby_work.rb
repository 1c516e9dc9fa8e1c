# A collector that compacts behind read barriers of mprotect, threads, fork, signals, fibers.
$stdout.sync = true
all = (1..200_000).to_h { |i| ["key #{i}", [i, "value #{i}"]] }
puts all.size, all.values.sum(&:first)
GC.start
begin
  GC.auto_compact = true
  GC.verify_compaction_references(toward: :empty)
rescue NotImplementedError, ArgumentError, NoMethodError
end
GC.compact if GC.respond_to?(:compact)
puts all['key 77'].inspect, all.values.sum { |number, _| number }
threads = 4.times.map { |n| Thread.new { (1..20_000).map { |i| (i * n).to_s }.join.hash ; n } }
puts threads.map(&:value).inspect
fibers = 200.times.map { |n| Fiber.new { Fiber.yield n; n * 2 } }
puts fibers.sum(&:resume), fibers.sum(&:resume)
def recurse(n) = recurse(n + 1) + 1
begin
  recurse(0)
rescue SystemStackError => e
  puts e.class
end
trap('USR2') { puts 'signal' }
Process.kill('USR2', Process.pid)
sleep 0.05
child = fork do
  all.each_value { |value| value[0] += 1 }
  GC.start
  puts "child #{all.values.sum(&:first)}"
  exit! 3
end
Process.wait(child)
puts $?.exitstatus, all.values.sum(&:first)
puts `echo from a shell`
exit 7
