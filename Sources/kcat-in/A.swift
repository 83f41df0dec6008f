import Kafka
import ToolRuntime
@main enum A { static func main() throws {
  Signals.install()
  var s = Settings(); try s.add("bootstrap.servers=127.0.0.1:19092")
  for a in CommandLine.arguments.dropFirst(2) where a.contains("=") { try s.add(a) }
  var plan = ReadPlan(); plan.topic = CommandLine.arguments[1]
  if CommandLine.arguments.contains("-e") { plan.untilEnd = true }
  let r = try TopicReader(s, plan)
  try r.run()
}}
