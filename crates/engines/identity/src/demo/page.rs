//! The page on which somebody chooses whom to be: plain HTML without style, script or link.

use std::fmt::Write;

use super::{AuthorizeRequest, DemoPerson, TITLE};

/// The page for a query that has been checked.
pub(super) fn page(request: &AuthorizeRequest) -> String {
    let hidden = hidden(request);
    let mut citizens = String::new();
    let mut businesses = String::new();
    for person in DemoPerson::directory() {
        let (list, label) = match &person.business {
            None => (&mut citizens, escaped(&person.name)),
            Some((business, code)) => (
                &mut businesses,
                format!(
                    "{}，代表{}，统一社会信用代码 {}",
                    escaped(&person.name),
                    escaped(business),
                    escaped(code)
                ),
            ),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            list,
            r#"<li><button type="submit" name="person" value="{}">{label}</button></li>"#,
            escaped(&person.subject)
        );
    }
    format!(
        r#"<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{TITLE}</title>
</head>
<body>
<main>
<h1>{TITLE}</h1>
<p role="note"><strong>这是演示页面，不会核实任何人的身份。</strong>下列人员、企业、号码和代码均为虚构，请勿填写真实的个人信息。正式使用时，这里是本市真正的统一身份认证平台。</p>
<form method="post">
{hidden}<h2>选择一位市民</h2>
<ul>
{citizens}</ul>
<h2>选择一家企业的经办人</h2>
<ul>
{businesses}</ul>
</form>
<form method="post">
{hidden}<h2>或者用任意名字</h2>
<p><label for="name">名字（2 至 20 个字）</label>
<input id="name" name="name" type="text" required minlength="2" maxlength="20" autocomplete="off">
<button type="submit">以此名字登录</button></p>
</form>
<form method="post">
{hidden}<p><button type="submit" name="cancel" value="1">取消登录</button></p>
</form>
</main>
</body>
</html>
"#
    )
}

/// The query again, so that the form carries it.
fn hidden(request: &AuthorizeRequest) -> String {
    let fields = [
        ("response_type", &request.response_type),
        ("client_id", &request.client_id),
        ("redirect_uri", &request.redirect_uri),
        ("scope", &request.scope),
        ("state", &request.state),
        ("nonce", &request.nonce),
        ("code_challenge", &request.code_challenge),
        ("code_challenge_method", &request.code_challenge_method),
    ];
    let mut html = String::new();
    for (name, value) in fields {
        if let Some(value) = value {
            let value = escaped(value);
            let _ = writeln!(
                html,
                r#"<input type="hidden" name="{name}" value="{value}">"#
            );
        }
    }
    html
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_query_says_cannot_become_markup() {
        let request = AuthorizeRequest {
            state: Some("\"><script>alert('x')</script>&".into()),
            ..AuthorizeRequest::default()
        };
        let html = page(&request);
        assert!(html.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"));
        assert!(!html.contains("<script"));
    }

    #[test]
    fn the_page_says_that_it_is_a_demonstration_and_loads_nothing() {
        let html = page(&AuthorizeRequest::default());
        assert!(html.contains("不会核实任何人的身份"));
        for foreign in ["style", "src=", "href=", "http:", "https:", "<script"] {
            assert!(!html.contains(foreign), "{foreign}");
        }
        for person in DemoPerson::directory() {
            assert!(html.contains(&person.name));
        }
    }
}
