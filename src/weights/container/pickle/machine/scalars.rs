//! Numbers, texts and bytes.

use super::Machine;
use crate::error::Result;
use crate::weights::container::pickle::value::Value;

impl Machine<'_> {
    pub(super) fn push_decimal(&mut self) -> Result<()> {
        let line = self.program.line()?;
        let text = std::str::from_utf8(line).unwrap_or_default().trim().trim_end_matches('L');
        let value = match text {
            "01" => Value::Bool(true),
            "00" => Value::Bool(false),
            _ => text.parse().map(Value::Int).unwrap_or(Value::None),
        };
        self.push(value);
        Ok(())
    }

    pub(super) fn push_long(&mut self, length: usize) -> Result<()> {
        let bytes = self.program.take(length)?;
        let value = if length <= 8 {
            let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
            let mut wide = [sign; 8];
            wide[..length].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Long
        };
        self.push(value);
        Ok(())
    }

    pub(super) fn push_text(&mut self, bytes: &[u8]) {
        self.push(Value::Text(String::from_utf8_lossy(bytes).into_owned()));
    }

    pub(super) fn push_bytes(&mut self, length: usize) -> Result<()> {
        self.program.take(length)?;
        self.push(Value::Bytes);
        Ok(())
    }
}
