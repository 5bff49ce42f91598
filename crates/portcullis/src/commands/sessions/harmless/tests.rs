use proptest::prelude::*;

use super::*;

fn pass(bytes: &[u8]) -> String {
    Harmless::new(true).pass(bytes)
}

#[test]
fn text_colours_and_movements_pass() {
    for text in [
        "plain ä☃ text\r\x08\t",
        "\x1b[m",
        "\x1b[1;31mred\x1b[0m",
        "\x1b[38;5;8mindexed\x1b[38:2:255:0:0mtrue\x1b[4:3mcurly",
        "\x1b[2J\x1b[H\x1b[5;10H\x1b[K\x1b[1A\x1b[2B\x1b[3C\x1b[4D\x1b[7G\x1b[2d",
        "\x1b[2P\x1b[3L\x1b[4M\x1b[5@\x1b[6X\x1b[2S\x1b[2T\x1b[2;20r",
        "\x1b[?25l\x1b[?25h\x1b[?7l\x1b[?1049h\x1b[?1049l",
        "\x1b7\x1b8\x1bD\x1bE\x1bM\x1b(0lqk\x1b(B",
    ] {
        // A parameter that is not written is 0.
        assert_eq!(
            pass(text.as_bytes()).replace("[0m", "[m"),
            text.replace("[0m", "[m").replace("\x1b[H", "\x1b[0H").replace("\x1b[K", "\x1b[0K")
        );
    }
}

#[test]
fn whatever_does_more_than_show_is_dropped() {
    for hostile in [
        "\x1b]52;c;cm0gLXJmIC8=\x07",
        "\x1b]52;c;cm0gLXJmIC8=\x1b\\",
        "\x1b]0;title\x07\x1b]2;title\x1b\\",
        "\x1b]8;;https://evil.example.com\x07\x1b]8;;\x07",
        "\x1b]1337;File=inline=1:AAAA\x07\x1b]50;#1\x07\x1b]104\x07",
        "\x1bP$q\"p\x1b\\\x1bP+q544e\x1b\\\x1bPq#0!40~\x1b\\",
        "\x1b_Gf=32;AAAA\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
        "\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[x\x1bZ",
        "\x1b[21t\x1b[8;50;100t\x1b[>q\x1b[?1u\x1b[?u\x1b[>1u\x1b[=1u\x1b[<u",
        "\x1b[5i\x1b[4i\x1b[?5i\x1b[0i",
        "\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?1h\x1b[4h\x1b[20h\x1b[?69h\x1b[?2026h",
        "\x1b[3J\x1b[22J\x1b[?2J",
        "\x1b[1;2;3;4;5T\x1b[>1;2m\x1b[?4m\x1b[2 q\x1b[!p\x1b[?5W\x1b[1;1;5;5;1$r\x1b[1*x\x1b[1\"q",
        "\x1bc\x1b=\x1b>\x1bH\x1b[3g\x1bn\x1bo\x1b#8\x1b%G\x1b(A\x1b)0\x0e\x0f\x07\x05\x00",
        "\x1b[s\x1b[u\x1b[1;5s\x1bN\x1bO\x1b\x1b",
        "\u{9b}31m\u{9d}52;c;AAAA\u{9c}\u{90}q\u{9c}\u{84}\u{8d}".trim_matches(|_| false),
    ] {
        let passed = pass(hostile.as_bytes());
        // C1 as characters begins nothing, so what follows is text.
        let text = passed.replace("31m52;c;AAAAq", "");
        assert_eq!(text, "", "{hostile:?}");
    }
}

#[test]
fn what_is_not_seen_stands_as_such() {
    assert_eq!(pass("a\u{202e}b\u{200b}c\u{e0041}".as_bytes()), "a�b�c�");
    assert_eq!(pass(b"a\xff\xc3b"), "a��b");
}

#[test]
fn numbers_are_those_of_a_screen_and_modes_are_told_one_by_one() {
    assert_eq!(pass(b"\x1b[65535b\x1b[99999999A"), "\x1b[9999b\x1b[9999A");
    assert_eq!(pass(b"\x1b[?25;2004;1049l\x1b[?47;1049h"), "\x1b[?25l\x1b[?1049h");
}

#[test]
fn a_line_feed_is_one_whatever_the_terminal_makes_of_it() {
    assert_eq!(pass(b"a\nb\r\nc"), "a\x1bDb\r\x1bDc");
    assert_eq!(Harmless::new(false).pass(b"a\nb"), "a\nb");
}

#[test]
fn pieces_make_the_same_as_the_whole() {
    let text = "ä\x1b[1;31mré\x1b]52;c;AAAA\x07d\x1b[?1049h";
    let mut harmless = Harmless::new(true);
    let pieces: String = text.as_bytes().chunks(1).map(|piece| harmless.pass(piece)).collect();
    assert_eq!(pieces, pass(text.as_bytes()));
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let end = |text: &str| {
        let mut harmless = Harmless::new(true);
        harmless.pass(text.as_bytes());
        harmless.end()
    };
    assert_eq!(end("text\x1b[31m"), "\x1b[0m\x1b(B\x1b[?25h\x1b[?7h\r\n");
    assert_eq!(end("\x1b[2;5r"), "\x1b[0m\x1b(B\x1b[?25h\x1b[?7h\x1b[r\x1b[9999;1H\r\n");
    assert_eq!(end("\x1b[?47h"), "\x1b[?1049l\x1b[0m\x1b(B\x1b[?25h\x1b[?7h\r\n");
}

/// What a terminal would be told.
#[derive(Default)]
struct Strict {
    wrong: Vec<String>,
}

impl Perform for Strict {
    fn print(&mut self, c: char) {
        if is_unseen(c) && c != UNSEEN {
            self.wrong.push(format!("{c:?}"));
        }
    }

    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\n' | b'\r' | b'\t' | 8) {
            self.wrong.push(format!("control {byte}"));
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        let first = params.iter().next().unwrap()[0];
        let fits = match intermediates {
            b"" => "ABCDEFGHIXZ@`abdefPLMJKSTrm".contains(action) && !(action == 'J' && first > 2),
            b"?" => "hl".contains(action) && [7, 25, 1049].contains(&first) && params.len() == 1,
            _ => false,
        };
        if ignore || !fits || (action == 'T' && params.len() > 1) {
            self.wrong.push(format!("{intermediates:?} {action}"));
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        if ignore
            || !matches!((intermediates, byte), (b"", b'7' | b'8' | b'D' | b'E' | b'M') | (b"(", b'0' | b'B'))
        {
            self.wrong.push(format!("escape {intermediates:?} {byte}"));
        }
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.wrong.push(format!("device control {action}"));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.wrong.push(format!("system command {params:?}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: proptest::test_runner::RngSeed::Fixed(7), failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_else_comes_out_whatever_goes_in(
        parts in prop::collection::vec(prop_oneof![
            Just(b"\x1b[".to_vec()), Just(b"\x1b]52;".to_vec()), Just(b"\x1bP".to_vec()), Just(b"\x1b".to_vec()), Just(b"\x9b".to_vec()),
            "[0-9;:?>= $!\"']{0,6}[@-~]".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..8),
        ], 0..12),
        cut in 0_usize..64,
    ) {
        let bytes = parts.concat();
        let mut harmless = Harmless::new(true);
        let (head, tail) = bytes.split_at(cut.min(bytes.len()));
        let passed = [harmless.pass(head), harmless.pass(tail), harmless.end()].concat();
        let mut strict = Strict::default();
        let mut parser = Parser::new();
        // What was before it may have been the beginning of anything; it is not.
        parser.advance(&mut strict, passed.as_bytes());
        parser.advance(&mut strict, b"x");
        prop_assert!(strict.wrong.is_empty(), "{:?} from {bytes:?}", strict.wrong);
    }
}
