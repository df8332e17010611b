//! What comes in, what is shown.

use super::*;

fn part(id: &str) -> Option<String> {
    (id == "a@b").then(|| "/part/1".to_owned())
}

fn how(remote: bool) -> Show<'static> {
    Show { attachment: &part, remote, quote: "Quoted", leads_to: "leads to" }
}

#[track_caller]
fn check(html: &str, expected: &str) {
    assert_eq!(show(html, &how(false)).html, expected, "{html}");
}

#[track_caller]
fn check_text(text: &str, expected: &str) {
    assert_eq!(show_text(text, &how(false)).html, format!("<div class=\"pr-plain\">{expected}</div>"), "{text}");
}

#[track_caller]
fn check_sign(text: &str, href: &str, expected: Option<Sign>) {
    let signs = show(&format!("<a href=\"{href}\">{text}</a>"), &how(false)).signs;
    assert_eq!(signs.into_iter().next(), expected, "{text} -> {href}");
}

#[track_caller]
fn check_css(css: &str, expected: &str) {
    assert_eq!(css::declarations(css).css, expected, "{css}");
}

#[track_caller]
fn check_sheet(css: &str, expected: &str) {
    assert_eq!(css::sheet(css).css, expected, "{css}");
}

#[test]
fn repairs() {
    check("", "");
    check("a &lt; b &amp; c", "a &lt; b &amp; c");
    check("<p>one<p>two", "<p>one</p><p>two</p>");
    check("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>");
    check("<b><i>x</b>y</i>z", "<b><i>x</i></b><i>y</i>z");
    check("<p><b>one<p>two</b> three", "<p><b>one</b></p><p><b>two</b> three</p>");
    check("<b><p>x</b>y</p>z", "<b><p>xy</p></b>z");
    check(
        "<table><tr><td>a<td>b<tr><td>c</table>d",
        "<table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>d",
    );
    check(
        "<a href=https://x.example>a<a href=https://y.example>b",
        "<a href=\"https://x.example/\" title=\"https://x.example/\" target=\"_blank\" rel=\"noopener noreferrer\">a</a><a href=\"https://y.example/\" title=\"https://y.example/\" target=\"_blank\" rel=\"noopener noreferrer\">b</a>",
    );
    check("</div></p></table>x</body>y</html>z", "xyz");
    check("<o:p>x</o:p><foo>y</foo>", "xy");
    check("<body bgcolor=#eeeeee text=red>x", "<div style=\"background-color:#eeeeee;color:red\">x</div>");
    check(
        "<center><font color=red size=2 face=Arial>x</font></center>",
        "<center><font color=\"red\" size=\"2\" face=\"Arial\">x</font></center>",
    );
    check("<div class=\"pr-warning MsoNormal\" id=pr-x>x</div>", "<div class=\"MsoNormal\">x</div>");
}

#[test]
fn pictures() {
    check("<img src=cid:a@b alt=Logo>", "<img src=\"/part/1\" alt=\"Logo\">");
    check("<img src=cid:gone alt=Logo>", "<img alt=\"Logo\">");
    check("x<img src=https://x.example/1.png width=20>", "x<img width=\"20\" class=\"pr-blocked\">");
    check("x<img src=\"data:image/png;base64,AAAA\">", "x<img src=\"data:image/png;base64,AAAA\">");
    check("x<img src=\"data:image/svg+xml,<svg onload=x>\">", "x");
    let shown = show("<img src=http://x.example/1.png>", &how(true));
    assert_eq!(shown.html, "<img src=\"https://x.example/1.png\">");
    let shown = show("<img src='https://x.example/1.gif' width=1 height=1>", &how(true));
    assert_eq!((shown.html.as_str(), shown.trackers, shown.remote.len()), ("", 1, 0));
    assert_eq!(show("<img src=cid:a%40b>", &how(false)).inline.into_iter().collect::<Vec<_>>(), ["a@b"]);
}

#[test]
fn quotations() {
    let folded = |before: &str, quote: &str| {
        format!("{before}<details class=\"pr-quote\"><summary>Quoted</summary>{quote}</details>")
    };
    check(
        "hi<blockquote type=cite>old</blockquote>end",
        &(folded("hi", "<blockquote type=\"cite\">old</blockquote>") + "end"),
    );
    check("<blockquote type=cite>old</blockquote>", "<blockquote type=\"cite\">old</blockquote>");
    check(
        "hi<div class=gmail_quote>a<div class=gmail_quote>b</div></div>",
        &folded("hi", "<div class=\"gmail_quote\">a<div class=\"gmail_quote\">b</div></div>"),
    );
    check(
        "<div>hi<hr id=stopSpelling><b>From</b> old</div>end",
        &("<div>".to_owned() + &folded("hi", "<hr id=\"stopSpelling\"><b>From</b> old") + "</div>end"),
    );
    check(
        "<div>hi<div id=divRplyFwdMsg>head</div>old</div>",
        &("<div>".to_owned() + &folded("hi", "<div id=\"divRplyFwdMsg\">head</div>old") + "</div>"),
    );
}

#[test]
fn plain_text() {
    check_text("a <b>\nb", "a &lt;b&gt;\nb\n");
    check_text(
        "see https://x.example/a?b=1&c=2.",
        "see <a href=\"https://x.example/a?b=1&amp;c=2\" title=\"https://x.example/a?b=1&amp;c=2\" target=\"_blank\" rel=\"noopener noreferrer\">https://x.example/a?b=1&amp;c=2</a>.\n",
    );
    check_text(
        "(www.x.example)",
        "(<a href=\"https://www.x.example/\" title=\"https://www.x.example/\" target=\"_blank\" rel=\"noopener noreferrer\">www.x.example</a>)\n",
    );
    check_text(
        "write to a@b.example!",
        "write to <a href=\"mailto:a@b.example\" target=\"_blank\" rel=\"noopener noreferrer\">a@b.example</a>!\n",
    );
    check_text(
        "hi\n> a\n>> b\nbye",
        "hi\n<details class=\"pr-quote\"><summary>Quoted</summary><blockquote>a\n<blockquote>b\n</blockquote></blockquote></details>bye\n",
    );
    check_text(
        "> a",
        "<details class=\"pr-quote\" open><summary>Quoted</summary><blockquote>a\n</blockquote></details>",
    );
    check_text(">From here", "&gt;From here\n");
    check_text("javascript:alert(1)", "javascript:alert(1)\n");
}

#[test]
fn signs() {
    let elsewhere = |text: &str, host: &str| Some(Sign::LinkElsewhere { text: text.into(), host: host.into() });
    check_sign("https://bank.example/login", "https://evil.example/", elsewhere("bank.example", "evil.example"));
    check_sign(
        "bank.example",
        "https://bank.example.evil.example/",
        elsewhere("bank.example", "bank.example.evil.example"),
    );
    check_sign("www.bank.example", "https://bank.example/", None);
    check_sign("bank.example", "https://login.bank.example/", None);
    check_sign("www.bank.co.uk", "https://evil.co.uk/", elsewhere("www.bank.co.uk", "evil.co.uk"));
    check_sign("report.pdf", "https://files.example/", None);
    check_sign("main.rs", "https://files.example/", None);
    check_sign("me@bank.example", "https://evil.example/", None);
    check_sign("Click here", "https://evil.example/", None);
    check_sign("x", "https://bank.example@evil.example/", Some(Sign::NameInAddress { host: "evil.example".into() }));
    check_sign("x", "http://203.0.113.7/", Some(Sign::NumericHost { host: "203.0.113.7".into() }));
    let twin = Sign::LookAlike { host: "xn--80ak6aa92e.example".into(), shown: "аррӏе.example".into() };
    check_sign("x", "https://аррӏе.example/", Some(twin));
    check_sign("x", "https://müller.example/", None);
    check_sign("x", "https://пример.example/", None);
    check_sign("x\u{202e}y", "https://a.example/", Some(Sign::TurnedText));
    // What people read, however it is written.
    let bank = || elsewhere("bank.example", "evil.example");
    check_sign("evil.example bank.example", "https://evil.example/", bank());
    check_sign("<i style='font-size:0'>x</i>https://bank.example/", "https://evil.example/", bank());
    check_sign("ba\u{200b}nk.exam\u{ad}ple", "https://evil.example/", bank());
    check_sign("ｂａｎｋ．example", "https://evil.example/", bank());
    check_sign("<img src=https://a.example/b alt=bank.example>", "https://evil.example/", bank());
    check_sign("<div>Sign in</div><div>bank.example</div>", "https://evil.example/", bank());
    check_sign("Read it on a.example", "https://a.example/", None);
}

#[test]
fn no_tip_stands_before_that_of_a_link() {
    check(
        "<a href=https://x.example><b title=https://y.example>a</b></a><b title=z>c</b>",
        "<a href=\"https://x.example/\" title=\"https://x.example/\" target=\"_blank\" rel=\"noopener noreferrer\"><b>a</b></a><b title=\"z\">c</b>",
    );
}

#[test]
fn hosts_that_look_like_others() {
    assert_eq!(look_alike("bank.example"), None);
    assert_eq!(look_alike("müller.example"), None);
    let twin = Some(("аррӏе.example".to_owned(), "xn--80ak6aa92e.example".to_owned()));
    assert_eq!(look_alike("аррӏе.example"), twin);
    assert_eq!(look_alike("xn--80ak6aa92e.example"), twin);
}

#[test]
fn pictures_of_the_own_network_are_never_loaded() {
    for host in
        ["localhost", "127.0.0.1", "2130706433", "10.1.2.3", "[::1]", "[fd00::1]", "printer", "nas.local", "a.lan"]
    {
        let shown = show(&format!("<img src=http://{host}/x alt=x>"), &how(true));
        assert!(shown.remote.is_empty() && !shown.html.contains("src") && shown.blocked.len() == 1, "{host}");
    }
    assert_eq!(show("<img src=https://a.example/x>", &how(true)).remote.len(), 1);
}

#[test]
fn declarations() {
    check_css("color:red", "color:red");
    check_css("COLOR : #FFF ; font: 12px/1.5 'Segoe UI', Arial", "color:#FFF;font:12px/1.5 \"Segoe UI\", Arial");
    check_css("color:red!important", "color:red");
    check_css("position:absolute;color:red", "color:red");
    check_css("background:#fff url(x.png) no-repeat", "background:#fff  no-repeat");
    check_css("background-image:url(x)", "");
    check_css("width:expression(alert(1))", "");
    check_css("margin:-10px", "");
    check_css("width:99999px", "");
    check_css("color:rgba(1, 2, 3, .5)", "color:rgba(1, 2, 3, 0.5)");
    check_css("display:none", "display:none");
    check_css("display:flex", "");
    check_css("c\\6flor:red", "color:red");
    check_css("color:red;}</style><script>", "color:red");
    check_css("mso-line-height-rule:exactly", "");
    // Nothing lies upon its neighbours.
    check_css("white-space:nowrap;line-height:0;letter-spacing:-9px;table-layout:fixed;overflow-wrap:normal", "");
    check_css("font:12px/0 serif", "");
    check_css("letter-spacing:-.5px;line-height:120%", "letter-spacing:-0.5px;line-height:120%");
}

#[test]
fn sheets() {
    check_sheet("p.MsoNormal, #x > a:link {margin:0cm;color:red}", "p.MsoNormal, #x > a:link{margin:0cm;color:red}");
    check_sheet("<!-- p{color:red} -->", "p{color:red}");
    check_sheet("a[href^=x]{color:red}", "");
    check_sheet("p{background:url(x)}", "");
    check_sheet(".pr-warning{display:none}", "");
    check_sheet("p:before{content:'x'}", "");
    check_sheet(
        "@media screen and (max-width:600px){p{width:100%}}",
        "@media screen and (max-width:600px){p{width:100%}}",
    );
    check_sheet("@media (prefers-color-scheme:dark){p{color:white}}", "");
    check_sheet("@font-face{font-family:x;src:url(y)}p{color:red}", "p{color:red}");
    check_sheet("@import 'x';p{color:red}", "p{color:red}");
    check_sheet("p{color:red", "p{color:red}");
}

/// What is small when written must not become large when shown.
#[test]
fn bombs_stay_small() {
    let fonts: String = (0..3_000).map(|n| format!("<font title={n}>")).collect();
    for bomb in [
        fonts.clone() + &"<p>x".repeat(3_000),
        fonts.clone() + &"<table><tr><td>x".repeat(500),
        format!("<table><tr>{fonts}{}", "<td>x".repeat(3_000)),
        "<a href=https://x.example><div>".repeat(3_000),
        "<b><p></b>".repeat(5_000),
        "<b><i><u></b></i></u>".repeat(5_000),
        "<blockquote type=cite>x".repeat(5_000),
        "<svg>".repeat(10_000),
        "<template>".repeat(10_000),
        "((((".repeat(20_000),
        format!("<style>{}</style>", "a{b:((((".repeat(5_000)),
        format!("<p style='color:{}'>", "rgb(".repeat(2_000)),
    ] {
        let shown = show(&bomb, &how(false));
        assert!(shown.html.len() < bomb.len() * 30 + 1_000, "{} -> {}", bomb.len(), shown.html.len());
    }
}
