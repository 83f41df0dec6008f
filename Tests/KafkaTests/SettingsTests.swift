import CRDKafka
import Kafka
import Testing
import ToolRuntime

@Suite struct SettingsTests {
    static func file(_ text: String) throws(Failure) -> Settings {
        var settings = Settings()
        try settings.add(contentsOf: "secrets", Array(text.utf8))
        return settings
    }

    static func failure(_ body: () throws(Failure) -> Void) -> Failure? {
        do throws(Failure) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func aFileHasNamesAndValues() throws {
        let settings = try Self.file(
            """
            # comment
            \t
             sasl.username = bob \r
            sasl.password=a=b#c
            client.id=
            client.rack=one
            client.rack=two
            """)
        #expect(settings.value(of: "sasl.username") == "bob")
        #expect(settings.value(of: "sasl.password") == "a=b#c")
        #expect(settings.value(of: "client.id") == "")
        #expect(settings.value(of: "client.rack") == "two")
        #expect(settings.value(of: "comment") == nil)
    }

    @Test func aValueOnTheCommandLineIsTakenAsItIs() throws {
        var settings = Settings()
        try settings.add("sasl.password= with spaces ")
        #expect(settings.value(of: "sasl.password") == " with spaces ")
    }

    @Test func secondNamesCountAsTheFirst() throws {
        var settings = Settings()
        try settings.add("metadata.broker.list=here:1")
        settings.setDefaults([("bootstrap.servers", "there:2"), ("compression.codec", "lz4")])
        #expect(settings.value(of: "bootstrap.servers") == "here:1")
        #expect(settings.value(of: "compression.codec") == "lz4")
    }

    @Test func noValueIsEverInAnError() {
        for text in ["hunter2", "=hunter2", "sasl.passwrod=hunter2", "sasl.mechanism=ok\nsocket.timeout.ms=hunter2"] {
            let failure = Self.failure { () throws(Failure) in
                rd_kafka_conf_destroy(try Self.file(text).configuration())
            }
            #expect(failure?.status == .configuration)
            #expect(failure?.message.contains("hunter2") == false)
            #expect(failure?.message.hasPrefix("secrets: line ") == true)
        }
    }

    @Test func whatIsNotTextIsRefused() {
        for bytes in [[0x61, 0x3D, 0xFF], [0x61, 0x3D, 0x00, 0x62]] as [[UInt8]] {
            let failure = Self.failure { () throws(Failure) in
                var settings = Settings()
                try settings.add(contentsOf: "file", [0x0A] + bytes)
            }
            #expect(failure == Failure(.configuration, "file: line 2: not text in UTF-8"))
        }
    }
}
