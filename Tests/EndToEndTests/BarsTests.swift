import TestSupport
import Testing

/// `bars` on a terminal of its own.
@Suite struct BarsTests {
    /// Runs `bars` on a terminal of 8 rows and 30 columns, gives it the lines one after the other, each when the one before
    /// is drawn, and prints what came to the terminal.
    static let script = """
        import os, pty, select, struct, fcntl, sys, termios
        lines, environment = sys.argv[2:], dict(os.environ)
        reading, writing = os.pipe()
        child, terminal = pty.fork()
        if child == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 8, 30, 0, 0))
            os.dup2(reading, 0)
            os.close(writing)
            os.execvp("bars", ["bars"])
        os.close(reading)
        shown = b""
        def read(until):
            global shown
            while until not in shown:
                if not select.select([terminal], [], [], 30)[0]: sys.exit("nothing comes")
                try: piece = os.read(terminal, 65536)
                except OSError: return
                shown += piece
        for line in lines:
            os.write(writing, line.encode() + b"\\n")
            read(line.split("\\t")[0].encode())
        os.close(writing)
        read(b"no such text")
        sys.stdout.buffer.write(shown)
        """

    func shown(_ lines: [String], _ variables: [String: String]) throws -> String {
        let environment = Repository.environment.merging(variables) { $1 }
        let ended = try run(["/usr/bin/env", "python3", "-c", Self.script, "-"] + lines, environment: environment)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        return ended.outputText.replacing("\r\n", with: "\n")
    }

    @Test func aPictureIsDrawnOverTheOneBeforeInTheTerminalsWidth() throws {
        let bar = String(repeating: "#", count: 23)
        #expect(
            try shown(["a\t10", "bcd\t20"], ["TERM": "xterm", "NO_COLOR": "1"])
                == "a 10 \(bar)#\n\u{1B}[1A\r\u{1B}[Jbcd 20 ######################\na   10 ###########\n")
    }

    @Test func coloursComeUnlessTheyAreNotWanted() throws {
        #expect(try shown(["a\t1"], ["TERM": "xterm"]).contains("\u{1B}[36m#"))
        #expect(!(try shown(["a\t1"], ["TERM": "xterm", "NO_COLOR": "1"])).contains("\u{1B}"))
    }

    @Test func aTerminalThatCannotMoveItsCursorGetsPictureAfterPicture() throws {
        let text = try shown(["w\ta\t1\nv\tb\t1"], ["TERM": "dumb", "COLUMNS": "10"])
        #expect(text == "w\na 1 ######\n\nv\nb 1 ######\n")
    }
}
