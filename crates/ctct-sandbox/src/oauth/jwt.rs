//! Access tokens: JSON Web Tokens, signed with RS256 like the real ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use serde_json::{Value, json};

/// Signs for every sandbox, and protects nothing: whoever reads this file has it.
const SIGNING_KEY: &[u8] = include_bytes!("signing_key.pk8");
const KEY_ID: &str = "sandbox-key-1";

/// A token with these claims; none only if the key above cannot be read.
pub(super) fn sign(claims: &Value) -> Option<String> {
    let key = KeyPair::from_pkcs8(SIGNING_KEY).ok()?;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "kid": KEY_ID, "alg": "RS256" });
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// What tokens are verified with.
pub(super) fn key_set() -> Value {
    let Ok(key) = KeyPair::from_pkcs8(SIGNING_KEY) else { return json!({ "keys": [] }) };
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
    json!({ "keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID,
        "n": number(&n),
        "e": number(&e),
    }] })
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;

    #[test]
    fn a_token_can_be_verified_with_the_key_set() {
        let token = sign(&json!({ "sub": "june" })).expect("signed");
        let keys = key_set();
        let part = |name: &str| {
            URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().expect("there")).expect("encoded")
        };
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("encoded");
        RsaPublicKeyComponents { n: part("n"), e: part("e") }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .expect("verified");
    }
}
