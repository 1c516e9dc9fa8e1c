# A pre-forking server in small: N objects, then a fork whose child does WORK with them.
#
#   ruby objects.rb read|collect|compact N
#
# It stops itself just before the fork. Then the child prints its process id and what it has found,
# and waits for the end of standard input.
GC.disable
data = Array.new(ARGV[1].to_i) { |i| { number: i, text: "item #{i}", values: [i, i / 2.0, nil] } }
STDOUT.sync = true
Process.kill(:STOP, $$)
child = fork do
  GC.enable
  GC.start if ARGV[0] == "collect"
  GC.compact if ARGV[0] == "compact"
  puts "#{$$} #{data.sum { |item| item[:text].size + item[:values].size }}"
  STDIN.read(1)
  exit!(0)
end
_, status = Process.wait2(child)
puts "child ended with status #{status.exitstatus}"
