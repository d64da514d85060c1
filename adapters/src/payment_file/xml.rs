//! A thin XML writer: elements in order, text escaped, the bytes hashed as they pass.

use std::io::{self, BufWriter, Write};

use quick_xml::escape::escape;
use sha2::{Digest, Sha256};

/// Writes indented XML to `W`.
pub(super) struct Xml<W: Write> {
    out: BufWriter<Hashing<W>>,
    open: Vec<&'static str>,
}

struct Hashing<W> {
    inner: W,
    sha256: Sha256,
    bytes: u64,
}

impl<W: Write> Xml<W> {
    pub(super) fn new(inner: W) -> io::Result<Self> {
        let hashing = Hashing { inner, sha256: Sha256::new(), bytes: 0 };
        let mut xml = Self { out: BufWriter::new(hashing), open: Vec::new() };
        xml.out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        Ok(xml)
    }

    /// `<tag>` around what `inside` writes.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.element_with(tag, None, inside)
    }

    /// As `element`, with one attribute.
    pub(super) fn element_with(
        &mut self,
        tag: &'static str,
        attribute: Option<(&str, &str)>,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.start(tag, attribute)?;
        self.out.write_all(b"\n")?;
        self.open.push(tag);
        inside(self)?;
        self.open.pop();
        self.indent()?;
        writeln!(self.out, "</{tag}>")
    }

    /// `<tag>text</tag>`.
    pub(super) fn leaf(&mut self, tag: &'static str, text: &str) -> io::Result<()> {
        self.leaf_with(tag, None, text)
    }

    /// As `leaf`, with one attribute.
    pub(super) fn leaf_with(
        &mut self,
        tag: &'static str,
        attribute: Option<(&str, &str)>,
        text: &str,
    ) -> io::Result<()> {
        self.start(tag, attribute)?;
        writeln!(self.out, "{}</{tag}>", escape(text))
    }

    /// The number of bytes written and their SHA-256.
    pub(super) fn finish(self) -> io::Result<(u64, [u8; 32])> {
        debug_assert!(self.open.is_empty(), "an element was left open: {:?}", self.open);
        let mut hashing = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        hashing.inner.flush()?;
        Ok((hashing.bytes, hashing.sha256.finalize().into()))
    }

    fn start(&mut self, tag: &str, attribute: Option<(&str, &str)>) -> io::Result<()> {
        self.indent()?;
        match attribute {
            Some((name, value)) => write!(self.out, "<{tag} {name}=\"{}\">", escape(value)),
            None => write!(self.out, "<{tag}>"),
        }
    }

    fn indent(&mut self) -> io::Result<()> {
        self.open.iter().try_for_each(|_| self.out.write_all(b"  "))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        let (taken, _) = bytes.split_at(written.min(bytes.len()));
        self.sha256.update(taken);
        self.bytes += taken.len() as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
