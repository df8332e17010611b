//! The browser's language, on pages of the test's own.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use testkit::Browser;
use testkit::browser::Size;

const FORM: &str = r#"<!doctype html><html lang=en><title>Form</title><style>button, a { padding: 1rem }</style><link rel=icon href="data:,"><main><h1>Form</h1><form action=/sent>
<label for=a>Email Address</label><input id=a name=a value=old>
<label>Profile <select name=p><option>IMAP<option>POP3</select></label>
<fieldset><legend>Method</legend><label><input type=radio name=m value=1 checked>None</label><label><input type=radio name=m value=2>Forward</label></fieldset>
<label><input type=checkbox name=d>Delete after processing</label>
<label for=n>Note</label><textarea id=n disabled></textarea>
<button>Save &amp; Close</button></form>
<table><tr><td>Anna<td><button aria-label="Approve Anna">Approve</button><tr><td>Dora<td><a href="/dora">Approve</a></table>
<p id=said></p></main><script>document.querySelector('#said').textContent = 'scripts run'</script>"#;

const HOSTILE: &str = r#"<!doctype html><html lang=en><title>Hostile</title><link rel=icon href="data:,"><main><h1>Hostile</h1>
<iframe title=Message sandbox srcdoc="<p>inside</p><img src=http://tracker.example/pixel.png>"></iframe></main>"#;

/// Answers every path with a page.
fn pages() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut first = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                reader.read_line(&mut first).unwrap();
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap_or("/");
                let body = match path {
                    "/form" => FORM.to_owned(),
                    "/hostile" => HOSTILE.to_owned(),
                    _ => format!("<!doctype html><html lang=en><title>Other</title><main><h1>Other</h1>{path}</main>"),
                };
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close";
                let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            });
        }
    });
    base
}

#[test]
fn a_form_is_filled_in_as_a_person_does() {
    let browser = Browser::start(&pages()).unwrap();
    browser.go("/form").unwrap();
    browser.see("SCRIPTS RUN").unwrap();
    browser.fill("Email Address", "a@b.test").unwrap();
    browser.choose("Profile", "POP3").unwrap();
    browser.choose("Method", "Forward").unwrap();
    browser.tick("Delete after processing").unwrap();
    assert_eq!(browser.value("Profile").unwrap(), "POP3");
    assert!(!browser.can_change("Note").unwrap() && browser.can_change("Email Address").unwrap());
    browser.check().unwrap();
    browser.press("Save & Close").unwrap();
    browser.at("/sent?a=a%40b.test&p=POP3&m=2&d=on").unwrap();
    browser.back().unwrap();
    browser.press_in("Dora", "Approve").unwrap();
    browser.at("/dora").unwrap();
    browser.be_patient(std::time::Duration::from_millis(200));
    let fault = format!("{:#}", browser.press("Cancel").unwrap_err());
    assert!(fault.contains("something to press 'Cancel'") && fault.contains("/dora"), "{fault}");
    let fault = format!("{:#}", browser.see("nothing of the sort").unwrap_err());
    assert!(fault.contains("Other /dora"), "{fault}");
}

#[test]
fn what_a_page_does_is_seen_from_outside() {
    let browser = Browser::start(&pages()).unwrap();
    browser.scripts(false).unwrap();
    browser.size(Size::Phone).unwrap();
    browser.go("/form").unwrap();
    browser.not_see("scripts run").unwrap();
    browser.fill("Email Address", "without@scripts.test").unwrap();
    browser.scripts(true).unwrap();
    assert!(browser.outside().unwrap().is_empty(), "{:?}", browser.outside());
    browser.go("/hostile").unwrap();
    browser.enter_frame("Message").unwrap();
    browser.see("inside").unwrap();
    browser.leave_frame().unwrap();
    let outside = browser.outside().unwrap();
    assert!(
        outside.iter().any(|a| a.contains("tracker.example")),
        "a sandboxed frame's requests are seen: {outside:?}"
    );
    browser.driver().script("console.error('oh no'); document.body.innerHTML += '<input>'", &[]).unwrap();
    let fault = format!("{:#}", browser.check().unwrap_err());
    assert!(fault.contains("oh no") && fault.contains("axe: label"), "{fault}");
    let picture = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
    browser.dark(true).unwrap();
    browser.screenshot(picture.path(), true).unwrap();
    assert!(picture.as_file().metadata().unwrap().len() > 1000);
}
