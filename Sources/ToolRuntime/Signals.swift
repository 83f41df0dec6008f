import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP end a tool between two chunks, after what it has already worked out has been written.
/// It then dies by that signal. A second one ends it at once, and so does a reader that does not take the rest in time.
enum Signals {
    private static let asked = Atomic<CInt>(0)
    private static let nothing = Atomic<CInt>(-1)
    private static let secondsToDrain: CUnsignedInt = 2

    static func install() {
        // Also makes sure that no handler is the first to touch either of them.
        asked.store(0, ordering: .relaxed)
        nothing.store(open("/dev/null", O_RDONLY | O_CLOEXEC), ordering: .relaxed)
        var deadline = sigaction()
        deadline.__sigaction_handler.sa_handler = { _ in Signals.dieIfAsked() }
        sigaction(SIGALRM, &deadline, nil)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            Signals.asked.store(number, ordering: .relaxed)
            // A read that has not begun yet would miss the signal and block: let it find the end of the input.
            dup2(Signals.nothing.load(ordering: .relaxed), 0)
            alarm(Signals.secondsToDrain)
        }
        action.sa_flags = CInt(bitPattern: UInt32(SA_RESETHAND))  // no SA_RESTART: a blocked read returns
        for number in [SIGINT, SIGTERM, SIGHUP] {
            var old = sigaction()
            sigaction(number, nil, &old)
            // nohup and background jobs of a shell ignore some: so it stays.
            let ignored = unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == 1
            if !ignored { sigaction(number, &action, nil) }
        }
    }

    static var isAsked: Bool { asked.load(ordering: .relaxed) != 0 }

    static func dieIfAsked() {
        let number = asked.load(ordering: .relaxed)
        if number != 0 { die(by: number) }
    }

    static func die(by number: CInt) -> Never {
        signal(number, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        sigprocmask(SIG_UNBLOCK, &set, nil)
        raise(number)
        _exit(128 + number)
    }
}
