# puma's settings (-C) with an application of 100,000 objects to share.
require "digest"
require "json"

objects = Array.new(100_000) { |i| { number: i, text: i.to_s, values: [i, i / 2.0, nil] } }

bind "unix://#{ENV["FOLDER"]}/socket"
workers 1
threads 1, 2
preload_app!
# The test looks at the frames of this moment, and lets it go on.
before_fork { Process.kill(:STOP, $$) }

app do |env|
  part = env["QUERY_STRING"].to_i
  found = objects.select { |item| item[:number] % 97 == part % 97 }
  body = JSON.generate(part: part, count: found.size, items: found.first(20),
                       posted: Digest::SHA256.hexdigest(env["rack.input"].read))
  [200, { "Content-Type" => "application/json" }, [body]]
end
