//! Reading what people paste: the address that a browser ended at, as terminals, mails and
//! chats leave it.

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use url::Url;

use crate::{Error, ErrorKind, Result};

/// The code in a pasted text, checked to be the answer to the request with this state.
pub(crate) fn read(
    pasted: &str,
    redirect_uri: &str,
    state: &SecretString,
    allow_bare_code: bool,
) -> Result<SecretString> {
    let text = cleaned(pasted);
    if text.is_empty() {
        return Err(wrong(
            "nothing was pasted",
            "paste the whole address that the browser ended at",
        ));
    }
    let query = if text.contains("://") {
        query_of_url(&text, redirect_uri)?
    } else if text.contains('=') {
        text.trim_start_matches(['?', '&']).to_owned()
    } else if allow_bare_code {
        return Ok(text.into());
    } else {
        return Err(wrong(
            "this is not the address that the browser ended at",
            "paste all of the address bar, from https:// on; for a code alone there is --allow-bare-code",
        ));
    };
    code_of_query(&query, state)
}

/// The code in the query of a redirect, checked in the same way.
pub(super) fn code_of_query(query: &str, state: &SecretString) -> Result<SecretString> {
    let get = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    let answered = get("state").unwrap_or_default();
    if !bool::from(answered.as_bytes().ct_eq(state.expose_secret().as_bytes())) {
        return Err(wrong(
            "this address belongs to another login",
            "open the address that was shown last, and paste where the browser ended up then",
        ));
    }
    if let Some(error) = get("error") {
        let words = get("error_description").unwrap_or_default();
        let said = if words.is_empty() {
            harmless(&error)
        } else {
            format!("{} [{}]", harmless(&words), harmless(&error))
        };
        let hint = match error.as_str() {
            "access_denied" => "log in again, and allow the access: ctct auth login",
            "invalid_scope" => {
                "the application in the developer portal must have the scopes that are asked for"
            }
            _ => "check the application's settings in the developer portal",
        };
        return Err(Error::new(ErrorKind::Authentication, format!("access was not given: {said}"))
            .with_hint(hint));
    }
    match get("code").filter(|code| !code.is_empty()) {
        Some(code) => Ok(code.into()),
        None => Err(wrong("there is no code in this address", "paste the whole of it, to its end")),
    }
}

/// The text without what is around an address and what a terminal breaks it with.
fn cleaned(pasted: &str) -> String {
    // Addresses have neither blanks nor control characters; a terminal that wraps one, and
    // brackets and quotes of a chat, put them in.
    let text: String = pasted.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let around: &[char] = &['"', '\'', '<', '>', '`', '(', ')', '[', ']', '\u{201c}', '\u{201d}'];
    text.trim_matches(around).to_owned()
}

fn query_of_url(text: &str, redirect_uri: &str) -> Result<String> {
    let hint = "paste the whole address that the browser ended at";
    let url = Url::parse(text).map_err(|_| wrong("this is not an address", hint))?;
    let expected = Url::parse(redirect_uri)
        .map_err(|_| Error::new(ErrorKind::Configuration, "`inputs.redirect_uri` is not a URL"))?;
    let place = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
            url.path().trim_end_matches('/').to_owned(),
        )
    };
    if place(&url) != place(&expected) {
        let host = harmless(url.host_str().unwrap_or_default());
        return Err(wrong(
            &format!("this address is at {host}, and not where the login ends"),
            &format!("allow the access first; then the address starts with {redirect_uri}"),
        ));
    }
    Ok(url.query().unwrap_or_default().to_owned())
}

fn wrong(message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with_hint(hint)
}

fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REDIRECT: &str = "https://localhost";

    fn code(pasted: &str) -> Result<String> {
        let code = read(pasted, REDIRECT, &"st/4te".into(), false)?;
        Ok(code.expose_secret().to_owned())
    }

    #[test]
    fn a_t10_what_people_paste_is_understood() {
        for pasted in [
            "https://localhost/?code=c0-d_e&state=st/4te",
            "https://localhost?code=c0-d_e&state=st%2F4te&scope=contact_data+campaign_data",
            "https://localhost/?state=st%2F4te&code=c0-d_e#",
            "  \"https://localhost/?code=c0-d_e&state=st/4te\" \n",
            "<https://localhost/?code=c0-d_e&state=st/4te>",
            "https://localhost/?co\nde=c0-\r\n   d_e&state=st/\n4te\n",
            "https://localhost:443/?code=c0-d_e&state=st/4te",
            "HTTPS://LOCALHOST/?code=c0-d_e&state=st/4te",
            "?code=c0-d_e&state=st/4te",
            "code=c0-d_e&state=st/4te",
            "\u{201c}https://localhost/?code=c0-d_e&state=st/4te\u{201d}",
            "https://localhost/?code=c0-d_e&state=st/4te\u{1b}\u{7f}",
        ] {
            assert_eq!(code(pasted).expect(pasted), "c0-d_e", "{pasted}");
        }
    }

    #[test]
    fn a_t10_what_is_not_the_answer_is_refused() {
        for (pasted, why) in [
            ("", "nothing"),
            (" \n", "nothing"),
            ("c0-d_e", "not the address"),
            ("https://localhost/?code=c", "another login"),
            ("https://localhost/?code=c&state=", "another login"),
            ("https://localhost/?code=c&state=other", "another login"),
            ("https://localhost/?state=st/4te", "no code"),
            ("https://localhost/?code=&state=st/4te", "no code"),
            ("https://localhost.evil.example/?code=c&state=st/4te", "localhost.evil.example"),
            ("http://localhost/?code=c&state=st/4te", "localhost"),
            ("https://localhost/elsewhere?code=c&state=st/4te", "localhost"),
            ("https://localhost:8888/?code=c&state=st/4te", "localhost"),
            ("https://authz.constantcontact.com/oauth2/default/v1/authorize?state=st/4te", "authz"),
            ("https://", "not an address"),
        ] {
            let error = code(pasted).expect_err(pasted);
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{pasted}");
            assert!(error.to_string().contains(why), "{pasted}: {error}");
            assert!(error.hint().is_some());
        }
        assert!(read("c0-d_e", REDIRECT, &"s".into(), true).is_ok(), "on request");
    }

    #[test]
    fn what_the_server_says_is_told() {
        let denied = "https://localhost/?error=access_denied&error_description=The+owner%0Adenied&state=st/4te";
        let error = code(denied).expect_err("denied");
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(error.to_string(), "access was not given: The ownerdenied [access_denied]");
        let other = code("https://localhost/?error=access_denied&state=x").expect_err("not ours");
        assert_eq!(other.kind(), ErrorKind::InvalidRequest, "the state is looked at first");
    }

    proptest! {
        /// Whatever is pasted: no panic, and no code without the right state.
        #[test]
        fn a_t10_nothing_else_is_taken_for_an_answer(text in ".{0,200}") {
            if let Ok(code) = code(&text) {
                prop_assert!(cleaned(&text).contains("st"), "{code}");
            }
        }

        #[test]
        fn a_t10_blanks_anywhere_do_not_matter(places in proptest::collection::vec(0..44_usize, 0..8)) {
            let mut text = "https://localhost/?code=c0-d_e&state=st/4te".to_owned();
            for place in places {
                text.insert(place.min(text.len()), ['\n', ' ', '\t', '\r'][place % 4]);
            }
            prop_assert_eq!(code(&text).expect("the same address"), "c0-d_e");
        }
    }
}
