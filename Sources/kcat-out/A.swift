import Bytes
import Kafka
import ToolRuntime
import Glibc
@main enum A { static func main() throws {
  Signals.install()
  var s = Settings(); try s.add("bootstrap.servers=127.0.0.1:19092")
  for a in CommandLine.arguments.dropFirst(2) where a.contains("=") { try s.add(a) }
  let p = try Producer(s, topic: CommandLine.arguments[1])
  var shape = MessageShape()
  if CommandLine.arguments.contains("pack") { shape.pack = 65536 }
  var w = try TopicWriter(p, shape, topic: CommandLine.arguments[1])
  var input = LineInput(maxLine: 64<<20)
  var out = Output(lines: OutputBuffer(drain: {_ in}))
  loop: while true {
    switch try input.next(wake: p.client.wakeDescriptor) {
    case .piece(.lines(let l, let n)): try w.write(UnsafeRawBufferPointer(l), firstLine: n, into: &out)
    case .piece: break
    case .idle: try p.serve()
    case .end: break loop
    }
  }
  try w.sendPacks(into: &out)
  try p.flush()
  print(input.lineCount, p.failedLines)
}}
