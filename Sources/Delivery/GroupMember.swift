/// A member of a consumer group in one of the group's generations: what a broker compares before it takes offsets, so that
/// who was put out of the group cannot commit.
package struct GroupMember: Equatable {
    package var group: [UInt8]
    package var generation: Int32
    package var member: [UInt8]
    /// The name of a static member (`group.instance.id`).
    package var instance: [UInt8]?

    package init(group: [UInt8], generation: Int32, member: [UInt8], instance: [UInt8]?) {
        (self.group, self.generation, self.member, self.instance) = (group, generation, member, instance)
    }
}
