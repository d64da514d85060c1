//! From bytes of unknown encoding to a stream of UTF-8, a piece at a time.
//!
//! Order of belief: byte order mark; the encoding an XML declaration names; UTF-8. A file that claims UTF-8 (or
//! nothing) and shows another byte first is taken as one of the single-byte encodings seen in the field:
//! windows-1256 (old Arabic core systems) or windows-1252 with its subset ISO-8859-1.

use std::io::{self, BufRead, Read};

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1256};

use super::model::Problem;

const CHUNK: usize = 64 * 1024;

/// A reader that yields UTF-8, and tells at the end what it made it from.
pub(crate) struct Utf8<R> {
    source: R,
    raw: Vec<u8>,
    out: String,
    at: usize,
    mode: Mode,
    ended: bool,
    marked: u64,
    foreign_seen: bool,
    high_controls_seen: bool,
    replaced: u64,
}

enum Mode {
    Unknown,
    Utf8,
    Other(encoding_rs::Decoder),
}

impl<R: Read> Utf8<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            raw: Vec::new(),
            out: String::new(),
            at: 0,
            mode: Mode::Unknown,
            ended: false,
            marked: 0,
            foreign_seen: false,
            high_controls_seen: false,
            replaced: 0,
        }
    }

    /// Name of the encoding, final when everything was read. ISO-8859-1 and windows-1252 differ only in
    /// 0x80-0x9F; the narrower name is told while no such byte was seen.
    pub(crate) fn encoding(&self) -> &'static str {
        match &self.mode {
            Mode::Unknown | Mode::Utf8 => UTF_8.name(),
            Mode::Other(decoder) if decoder.encoding() == WINDOWS_1252 && !self.high_controls_seen => {
                "ISO-8859-1"
            }
            Mode::Other(decoder) => decoder.encoding().name(),
        }
    }

    /// Bytes that belong to no character of the encoding became U+FFFD.
    pub(crate) fn replaced_problem(&self) -> Option<Problem> {
        (self.replaced > 0).then(|| Problem {
            place: "the file".to_owned(),
            what: format!("{} bytes are no {} and were replaced by U+FFFD", self.replaced, self.encoding()),
            touches_money: false,
        })
    }

    /// Length of a UTF-8 byte order mark that was taken off.
    pub(crate) fn mark_bytes(&self) -> u64 {
        self.marked
    }

    /// What is decoded and not consumed yet, without reading on.
    pub(crate) fn buffered(&self) -> &[u8] {
        self.out.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn refill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.at = 0;
        while self.out.is_empty() && !self.ended {
            let kept = self.raw.len();
            let wanted = u64::try_from(CHUNK).unwrap_or(u64::MAX);
            let read = (&mut self.source).take(wanted).read_to_end(&mut self.raw)?;
            self.ended = read < CHUNK;
            debug_assert!(kept < 4, "at most one unfinished character is carried over");
            if matches!(self.mode, Mode::Unknown) {
                self.choose();
            }
            self.decode();
        }
        Ok(())
    }

    /// Looks at the first piece of the file.
    fn choose(&mut self) {
        let declared = match Encoding::for_bom(&self.raw) {
            Some((encoding, mark)) => {
                self.raw.drain(..mark);
                self.marked = if encoding == UTF_8 { u64::try_from(mark).unwrap_or(0) } else { 0 };
                Some(encoding)
            }
            None if self.raw.starts_with(b"<\0") => Some(UTF_16LE),
            None if self.raw.starts_with(b"\0<") => Some(UTF_16BE),
            // A declaration that can be read byte by byte does not stand in UTF-16, whatever it says.
            None => declared_encoding(&self.raw).filter(|named| *named != UTF_16LE && *named != UTF_16BE),
        };
        self.mode = match declared {
            None => Mode::Utf8,
            Some(encoding) if encoding == UTF_8 => Mode::Utf8,
            // Words of a single-byte encoding are no UTF-8 by chance: the declaration is wrong.
            Some(encoding) if encoding.is_single_byte() && is_utf_8_beyond_ascii(&self.raw) => Mode::Utf8,
            Some(encoding) => Mode::Other(encoding.new_decoder_without_bom_handling()),
        };
    }

    fn decode(&mut self) {
        let mut rest = std::mem::take(&mut self.raw);
        while !rest.is_empty() && matches!(self.mode, Mode::Utf8) {
            match std::str::from_utf8(&rest) {
                Ok(text) => {
                    self.foreign_seen |= !text.is_ascii();
                    self.out.push_str(text);
                    return;
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    self.foreign_seen |= !valid.is_ascii();
                    self.out.push_str(&String::from_utf8_lossy(valid));
                    let unfinished = error.error_len().is_none();
                    if unfinished && !self.ended {
                        self.raw = invalid.to_vec();
                        return;
                    }
                    let skip = if self.foreign_seen {
                        self.out.push(char::REPLACEMENT_CHARACTER);
                        self.replaced += 1;
                        error.error_len().unwrap_or(invalid.len())
                    } else {
                        self.mode = Mode::Other(guess(invalid).new_decoder_without_bom_handling());
                        0
                    };
                    let next = error.valid_up_to() + skip;
                    rest.drain(..next);
                }
            }
        }
        self.decode_other(&rest);
    }

    fn decode_other(&mut self, mut bytes: &[u8]) {
        let Mode::Other(decoder) = &mut self.mode else { return };
        self.high_controls_seen |= bytes.iter().any(|byte| (0x80..=0x9F).contains(byte));
        loop {
            let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(CHUNK * 4);
            self.out.reserve(room);
            let (result, read) =
                decoder.decode_to_string_without_replacement(bytes, &mut self.out, self.ended);
            bytes = bytes.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.out.push(char::REPLACEMENT_CHARACTER);
                    self.replaced += 1;
                }
            }
        }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.out.len() {
            self.refill()?;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount).min(self.out.len());
    }
}

fn is_utf_8_beyond_ascii(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or_default(),
        Err(_) => return false,
    };
    !valid.is_ascii()
}

/// The label in `<?xml version="1.0" encoding="windows-1256"?>`.
fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(256))?;
    if !head.trim_ascii_start().starts_with(b"<?xml") {
        return None;
    }
    let declaration = String::from_utf8_lossy(head.split(|byte| *byte == b'>').next()?).into_owned();
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Encoding::for_label(value.get(1..)?.split(quote).next()?.as_bytes())
}

/// Arabic words are runs of high bytes; Latin words hold a high byte here and there between ASCII letters.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let (text, _) = WINDOWS_1256.decode_without_bom_handling(bytes);
    let arabic = |character: char| ('\u{0621}'..='\u{06FF}').contains(&character);
    let (mut high, mut in_runs) = (0_usize, 0_usize);
    let mut previous = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        high += usize::from(!character.is_ascii());
        let neighbour = arabic(previous) || characters.peek().is_some_and(|next| arabic(*next));
        in_runs += usize::from(arabic(character) && neighbour);
        previous = character;
    }
    if in_runs * 2 > high { WINDOWS_1256 } else { WINDOWS_1252 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, &'static str, u64) {
        let mut reader = Utf8::new(bytes);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (text, reader.encoding(), reader.replaced)
    }

    #[test]
    fn utf_8_is_believed_with_and_without_its_mark() {
        assert_eq!(decoded("رسوم 12".as_bytes()), ("رسوم 12".into(), "UTF-8", 0));
        assert_eq!(decoded(b"\xEF\xBB\xBFabc"), ("abc".into(), "UTF-8", 0));
        assert_eq!(decoded(b""), (String::new(), "UTF-8", 0));
    }

    #[test]
    fn single_byte_arabic_and_latin_are_told_apart() {
        let (arabic, _, _) = WINDOWS_1256.encode("رسوم ترخيص مركبة PAYMENT");
        assert_eq!(decoded(&arabic), ("رسوم ترخيص مركبة PAYMENT".into(), "windows-1256", 0));
        assert_eq!(decoded(b"GEB\xDCHR M\xFCller"), ("GEBÜHR Müller".into(), "ISO-8859-1", 0));
        assert_eq!(decoded(b"50 \x80 M\xFCller").1, "windows-1252");
    }

    #[test]
    fn utf_16_is_read_by_its_mark_and_by_its_shape() {
        let little: Vec<u8> = "<Ü/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{FEFF}<Ü/>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(&little), ("<Ü/>".into(), "UTF-16LE", 0));
        assert_eq!(decoded(&big), ("<Ü/>".into(), "UTF-16BE", 0));
    }

    #[test]
    fn a_declared_encoding_is_followed_unless_it_cannot_be() {
        let mut arabic = b"<?xml version='1.0' encoding='windows-1256'?><a>".to_vec();
        arabic.extend_from_slice(&WINDOWS_1256.encode("فاتورة").0);
        assert_eq!(decoded(&arabic).1, "windows-1256");
        assert!(decoded(&arabic).0.ends_with("فاتورة"));
        let wrong = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>ü</a>";
        assert_eq!(decoded(wrong.as_bytes()), (wrong.into(), "UTF-8", 0));
        let wrong = "<?xml version=\"1.0\" encoding=\"windows-1256\"?><a>فاتورة</a>";
        assert_eq!(decoded(wrong.as_bytes()), (wrong.into(), "UTF-8", 0));
    }

    #[test]
    fn a_broken_byte_after_real_utf_8_is_replaced_and_counted() {
        assert_eq!(decoded(b"\xC3\xBC \xFF!"), ("ü \u{FFFD}!".into(), "UTF-8", 1));
        assert_eq!(decoded(b"\xC3\xBC \xC3"), ("ü \u{FFFD}".into(), "UTF-8", 1));
    }

    #[test]
    fn a_character_cut_by_a_piece_stays_whole() {
        let text = format!("{}ü{}", "a".repeat(CHUNK - 1), "b".repeat(CHUNK));
        assert_eq!(decoded(text.as_bytes()), (text.clone(), "UTF-8", 0));
    }
}
