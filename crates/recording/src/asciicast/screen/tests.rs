use super::*;
use vte::{Params, Parser, Perform};

#[test]
fn only_what_is_shown_is_left_wherever_it_is_cut() {
    for (text, shown) in [
        ("\u{1b}[1;31mred\u{1b}[0m\r\n", "\u{1b}[1;31mred\u{1b}[0m\r\n"),
        ("a\u{1b}]0;title\u{7}b\u{1b}]52;c;c2VjcmV0\u{1b}\\c", "abc"),
        ("\u{1b}]8;;javascript:alert(1)\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{9d}8;;https://evil.example\u{9c}x\u{90}q\u{9c}y\u{9b}31mz", "xy\u{1b}[31mz"),
        ("\u{1b}Pdcs\u{1b}[2Jb\u{1b}_apc\u{18}c\u{1b}^pm\u{1a}d\u{1b}Xsos\u{9c}e", "\u{1b}[2Jbcde"),
        ("\u{1b}[8;9999;9999tx\u{1b}[22;0ty\u{9b}18tz", "xyz"),
        (
            "\u{1b}[3\n1mx\u{1b}\u{1b}[1m\u{1b}(B\u{1b}7\u{1b}[?25l",
            "\n\u{1b}[31mx\u{1b}[1m\u{1b}(B\u{1b}7\u{1b}[?25l",
        ),
        // A terminal acts on a control, or passes it over, and is where it was.
        ("\u{1b}\n]52;c;QUJD\u{7}a", "\na"),
        ("\u{1b}\0[8;9999;9999ta", "a"),
        ("\u{1b}\u{7f}]0;t\u{7}a", "a"),
        ("\u{1b}\u{7}]0;t\u{1b}\\a", "a"),
        ("\u{1b}]0;t\u{1b}\n]52;c;QUJD\u{7}a", "\na"),
        ("\u{1b}]0;t\u{1b}\u{7f}\\a", "a"),
        ("\u{1b}(\n0a", "\n\u{1b}(0a"),
        ("\u{1b}[\u{7f}8\u{7};1;1\rta", "\ra"),
        ("\u{1b}[31\u{7f}\0m", "\u{1b}[31m"),
        ("\u{1b}[ \n8ta\u{1b}[1!\u{7f}8tb", "\nab"),
        // What ends a sequence begins nothing.
        ("\u{1b}\u{18}]0;t\u{7}\u{1b}[\u{1a}8ta", "]0;t8ta"),
        // Of eight bits, wherever they come.
        ("\u{1b}\u{9d}52;c;QUJD\u{7}a\u{1b}[3\u{9b}8;1;1tb\u{85}c", "ab\u{1b}Ec"),
        ("\u{1b}é]0;t\u{7}\u{1b}[é8ta", "é]0;ta"),
        // What asks something, another mode, what is malformed, more than any screen has.
        ("\u{5}\u{1b}[6n\u{1b}[c\u{1b}[>c\u{1b}Z\u{1b}[?1000h\u{1b}[?3h\u{1b}[5i\u{1b}=\u{1b}[>4;1m", ""),
        ("\u{1b}[?25;1000;7h\u{1b}[4l\u{1b}[12h\u{1b}[!p", "\u{1b}[?25;7h\u{1b}[4l\u{1b}[!p"),
        ("\u{1b}[3?1m\u{1b}[1 m\u{1b}[?1m\u{1b}[<1m\u{1b}[99999b\u{1b}[1;2;3r\u{1b}[1;2S\u{1b}[1s", ""),
        ("\u{1b}[38:2::1:2:3m\u{1b}[;5H\u{1b}[s\u{1b}[u", "\u{1b}[38:2::1:2:3m\u{1b}[;5H\u{1b}[s\u{1b}[u"),
        (&format!("\u{1b}[{}ma", "1;".repeat(32)), "a"),
        // What is done once for each of so many, no oftener than a line is long.
        ("\u{1b}[501b\u{1b}[9999Z\u{1b}[1;501I\u{1b}[500b", "\u{1b}[500b"),
        ("never \u{1b}]0;ends", "never "),
    ] {
        assert_eq!(Screen::default().of(text), shown, "{text:?}");
        let mut cut = Screen::default();
        let pieces: String = text.chars().map(|c| cut.of(&c.to_string())).collect();
        assert_eq!(pieces, shown, "{text:?}");
    }
    for begun in ["\u{1b}[", "\u{1b}("] {
        let endless = format!("{begun}{}", if begun.ends_with('[') { "1;" } else { "  " }.repeat(10_000));
        let mut screen = Screen::default();
        assert_eq!(screen.of(&endless), "");
        assert_eq!(screen.of("mx"), "x");
    }
}

/// Another parser's view of what comes out.
#[derive(Default)]
struct Seen {
    wrong: Option<String>,
    last: Option<char>,
}

impl Seen {
    fn wrong(&mut self, what: &str) {
        self.wrong.get_or_insert_with(|| what.to_owned());
    }
}

impl Perform for Seen {
    fn print(&mut self, c: char) {
        self.last = Some(c);
        if c.is_control() {
            self.wrong("a control as text");
        }
    }

    fn execute(&mut self, byte: u8) {
        if !(0x08..=0x0f).contains(&byte) {
            self.wrong("a control");
        }
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, _: char) {
        self.wrong("DCS");
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.wrong("OSC");
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        let numbers: Vec<u16> = params.iter().flatten().copied().collect();
        let listed = match intermediates {
            b"" if matches!(action, 'h' | 'l') => numbers.iter().all(|mode| [4, 20].contains(mode)),
            b"" => "@ABCDEFGHIJKLMPSTXZ`abdefgmrsu".contains(action),
            b"?" if matches!(action, 'h' | 'l') => {
                numbers.iter().all(|mode| [6, 7, 25, 47, 1047, 1048, 1049].contains(mode))
            }
            b"!" => action == 'p',
            _ => false,
        };
        if !listed || ignore {
            self.wrong("CSI");
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        let listed = match intermediates {
            b"" => b"78DEHMc".contains(&byte),
            b"(" | b")" => b"0AB".contains(&byte),
            b"#" => byte == b'8',
            _ => false,
        };
        if !listed {
            self.wrong("ESC");
        }
    }
}

/// What another terminal makes of what comes of these pieces.
fn check(pieces: &[String]) {
    let mut screen = Screen::default();
    let mut parser = Parser::new();
    let mut seen = Seen::default();
    for piece in pieces {
        let shown = screen.of(piece);
        parser.advance(&mut seen, shown.as_bytes());
        // Nothing of it is left open: what another channel shows next stands for itself. Strings that the parser passes over would be.
        parser.advance(&mut seen, "✓".as_bytes());
        let is_open = seen.last.take() != Some('✓');
        assert!(
            seen.wrong.is_none() && !is_open,
            "{:?} in {shown:?} of {pieces:?}, open: {is_open}",
            seen.wrong
        );
    }
}

/// What sequences are made of.
const PARTS: [char; 40] = [
    ESC, ESC, ESC, '[', '[', ']', 'P', 'X', '^', '_', '\\', CAN, SUB, BEL, DEL, '\0', '\n', '\u{e}',
    '\u{85}', '\u{90}', '\u{98}', '\u{9b}', '\u{9c}', '\u{9d}', '\u{9f}', 'é', ' ', '!', '?', '>', ';', ':',
    '2', '5', '8', 'm', 't', 'h', 'c', 'p',
];

#[test]
fn whatever_goes_in_a_terminal_is_asked_for_nothing_by_what_comes_out() {
    // All that is short, character by character.
    for one in PARTS {
        for two in PARTS {
            for three in PARTS {
                check(&[one, two, three, 't'].map(String::from));
            }
        }
    }
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut pieces = vec![String::new()];
        for _ in 0..random.usize(1..40) {
            if random.u8(0..4) == 0 {
                pieces.push(String::new());
            }
            pieces.last_mut().unwrap().push(PARTS[random.usize(..PARTS.len())]);
        }
        check(&pieces);
    }
}
