//! The hub's own keys: version tags, cursors and pairwise ids come from one secret in the database.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use data_encoding::BASE32_DNSSEC as BASE32;

/// Keys made from the hub's secret; every node of a hub has the same.
pub(crate) struct Keys {
    tag: hmac::Key,
    blind: hmac::Key,
    seal: LessSafeKey,
}

impl Keys {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = |label: &str| hmac::sign(&master, label.as_bytes());
        #[expect(clippy::expect_used, reason = "HMAC-SHA256 gives the 32 bytes that AES-256 asks for")]
        let unbound = UnboundKey::new(&AES_256_GCM_SIV, derived("seal").as_ref()).expect("a 32-byte key");
        let key = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, derived(label).as_ref());
        Keys { tag: key("tag"), blind: key("blind"), seal: LessSafeKey::new(unbound) }
    }

    /// An opaque tag over some bytes: equal for equal bytes, and nothing else can be read from it.
    pub(crate) fn tag(&self, bytes: &[u8]) -> String {
        let tag = hmac::sign(&self.tag, bytes);
        BASE32.encode(tag.as_ref().get(..15).unwrap_or_default())
    }

    /// What some texts are remembered by, where they are the caller's own: equal for equal texts, and nothing else can be
    /// read from it.
    pub(crate) fn blind(&self, texts: &[&str]) -> String {
        let sized: Vec<String> = texts.iter().map(|text| format!("{}:{text}", text.len())).collect();
        let blinded = hmac::sign(&self.blind, sized.concat().as_bytes());
        BASE32.encode(blinded.as_ref())
    }

    /// Seals some bytes for one use. The same bytes for the same use give the same text: AES-GCM-SIV
    /// (RFC 8452) stays secret under a fixed nonce, and only equality shows.
    pub(crate) fn seal(&self, bytes: &[u8], bound_to: &str) -> String {
        let mut sealed = bytes.to_vec();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let done = self.seal.seal_in_place_append_tag(nonce, Aad::from(bound_to.as_bytes()), &mut sealed);
        #[expect(clippy::expect_used, reason = "sealing fails for inputs of gigabytes only")]
        done.expect("sealed");
        BASE32.encode(&sealed)
    }

    /// Opens what was sealed for the same use.
    pub(crate) fn open(&self, text: &str, bound_to: &str) -> Option<Vec<u8>> {
        let mut sealed = BASE32.decode(text.as_bytes()).ok()?;
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let opened = self.seal.open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut sealed).ok()?;
        Some(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_for_one_use_opens_for_that_use_only() {
        let keys = Keys::new(b"secret");
        let sealed = keys.seal(b"position", "children|agency_a");
        assert_eq!(keys.open(&sealed, "children|agency_a").as_deref(), Some(&b"position"[..]));
        assert_eq!(keys.open(&sealed, "children|agency_b"), None);
        assert_eq!(Keys::new(b"other").open(&sealed, "children|agency_a"), None);
        assert_eq!(keys.open("", "children|agency_a"), None);
        assert_eq!(keys.seal(b"position", "x"), keys.seal(b"position", "x"));
    }
}
