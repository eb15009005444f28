//! The pages that a person sees: consent, and what went wrong.

/// What a page is made of: its title and the HTML below it.
fn page(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>body{{font:16px/1.5 sans-serif;max-width:34em;margin:4em auto;padding:0 1em;color:#222}}\
         button{{font:inherit;padding:.5em 1.5em;margin-right:1em}}</style></head>\
         <body><h1>{title}</h1>{content}</body></html>\n"
    )
}

/// Asks the user whether the application may have these scopes. `hidden` are the fields
/// that come back with the answer.
pub(super) fn consent(user: &str, scopes: &[String], hidden: &[(&str, &str)]) -> String {
    let item =
        |list: String, scope: &String| list + "<li><code>" + &escaped(scope) + "</code></li>";
    let scopes = scopes.iter().fold(String::new(), item);
    let field = |fields: String, (name, value): &(&str, &str)| {
        format!("{fields}<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
    };
    let hidden = hidden.iter().fold(String::new(), field);
    page(
        "Allow access?",
        &format!(
            "<p>You are signed in to the sandbox of Constant Contact as <b>{}</b>. \
             An application asks for:</p><ul>{scopes}</ul>\
             <form method=\"post\">{hidden}\
             <button id=\"allow\" name=\"decision\" value=\"allow\">Allow</button>\
             <button id=\"deny\" name=\"decision\" value=\"deny\">Deny</button></form>",
            escaped(user)
        ),
    )
}

/// Asks for the code that a device shows.
pub(super) fn activate() -> String {
    page(
        "Activate your device",
        "<form method=\"get\"><label>Code <input name=\"user_code\" placeholder=\"WXYZ-9999\"></label> \
         <button>Next</button></form>",
    )
}

/// Says something, in one sentence.
pub(super) fn told(title: &str, sentence: &str) -> String {
    page(title, &format!("<p>{}</p>", escaped(sentence)))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
