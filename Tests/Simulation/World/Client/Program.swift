/// How a program ended.
enum Exit: Equatable {
    case status(Int)
    case killed
    /// By the TERM that it was sent, having done what it owed.
    case stopped
    /// Nobody read its output any more.
    case brokenPipe
}

/// A process: it runs in steps, may be killed between any two of them, and may be frozen and go on later.
class Program {
    /// Sound here and wherever it stands: a world holds all that is in it until its run is over, and lets it go then.
    unowned(unsafe) let world: World
    let name: String
    private(set) var exit: Exit?
    private(set) var isFrozen = false
    /// What came while it was frozen.
    private var backlog: [() -> Void] = []
    private var isWoken = false
    /// Things done so far; a kill may wait for one of them.
    private(set) var deeds = 0
    var lastDeed = Int.max

    init(_ world: World, _ name: String) {
        (self.world, self.name) = (world, name)
        world.programs.append(self)
    }

    var isAlive: Bool { exit == nil }

    /// Runs `action` later, if this program lives then; if it is frozen, when it goes on.
    final func after(_ microseconds: Int64, _ action: @escaping () -> Void) {
        world.after(microseconds) { [self] in run(action) }
    }

    private func run(_ action: @escaping () -> Void) {
        guard isAlive else { return }
        if isFrozen { backlog.append(action) } else { action() }
    }

    /// Something has happened that it may want to know of.
    final func wake() {
        guard !isWoken, isAlive else { return }
        isWoken = true
        after(world.random.delay(10...400)) { [self] in
            isWoken = false
            step()
        }
    }

    /// Does what there is to do. Never waits.
    func step() {}

    /// It is about to do something that others see. Returns false where it dies before.
    final func mayGoOn() -> Bool {
        guard isAlive else { return false }
        deeds += 1
        if deeds > lastDeed { kill() }
        return isAlive
    }

    final func kill() { end(.killed) }

    final func end(_ how: Exit) {
        guard isAlive else { return }
        exit = how
        backlog = []
        world.note("\(name) ends: \(how)")
        hasEnded()
    }

    /// Its descriptors are closed.
    func hasEnded() {}

    /// Lets go of what holds it.
    func tearDown() { backlog = [] }

    final func freeze() {
        guard isAlive else { return }
        isFrozen = true
        world.note("\(name) stands still")
    }

    final func thaw() {
        guard isFrozen, isAlive else { return }
        isFrozen = false
        world.note("\(name) goes on")
        let waiting = backlog
        backlog = []
        for action in waiting { after(world.random.delay(1...2000), action) }
    }
}
