//! Pressing what there is to press, so that no click is lost: not by a page
//! whose scripts still load, not by a part that is exchanged meanwhile or that
//! moves away under the pointer; and what comes of it is waited for.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{Browser, element};

/// How long a pressed link or button may take to bring the next page.
const LEAVING: Duration = Duration::from_secs(15);
/// How long one waits for a page to come to rest; it may move all the time.
const RESTING: Duration = Duration::from_secs(5);
/// In this time a part that moves by itself begins to.
const BEGINNING: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(20);

const LEAVES: &str = include_str!("leaves.js");
const READY: &str = include_str!("ready.js");

impl Browser {
    /// Presses the button or follows the link with this name.
    pub fn press(&self, name: &str) -> Result<()> {
        self.press_in("", name)
    }

    /// The same in a row, section or group that shows `near`.
    pub fn press_in(&self, near: &str, name: &str) -> Result<()> {
        let brings = RefCell::new(Value::Null);
        self.on("press", near, name, |target| {
            let found = self.driver.script(LEAVES, &[element(target)])?;
            if found.is_null() {
                bail!("it cannot be pressed now");
            }
            brings.replace(found);
            self.element_command(target, "click", &json!({}))?;
            if self.went_elsewhere() {
                bail!("the click went elsewhere, because the page moved");
            }
            Ok(())
        })?;
        match brings.into_inner().as_str() {
            Some("page") => self.wait_to_leave(),
            Some("part") => self.wait_for_part(),
            _ => {}
        }
        Ok(())
    }

    /// Clicks with the mouse while a key is held, e.g. `click_with(key::SHIFT, "Name")`.
    pub fn click_with(&self, held: &str, name: &str) -> Result<()> {
        let hold = |kind| json!([{ "type": "key", "id": "keyboard", "actions": [{ "type": kind, "value": held }] }]);
        self.on("press", "", name, |target| {
            let moves = json!({ "type": "pointerMove", "duration": 0, "origin": element(target), "x": 0, "y": 0 });
            self.act(&hold("keyDown"))?;
            let clicked = self.mouse(&[moves, pointer("pointerDown"), pointer("pointerUp")]);
            self.act(&hold("keyUp"))?;
            clicked
        })
    }

    /// Draws what a selector finds to the lower edge of what another one does.
    pub fn drag(&self, from: &str, to: &str) -> Result<()> {
        let find = "return document.querySelector(arguments[0])";
        let centre = |selector: &str, y: i64| -> Result<Value> {
            let found = self.driver.script(find, &[selector.into()])?;
            Ok(json!({ "type": "pointerMove", "duration": 150, "origin": found, "x": 0, "y": y }))
        };
        self.mouse(&[
            centre(from, 0)?,
            pointer("pointerDown"),
            centre(from, 6)?,
            centre(to, 0)?,
            centre(to, 8)?,
            pointer("pointerUp"),
        ])
    }

    fn mouse(&self, actions: &[Value]) -> Result<()> {
        let parameters = json!({ "pointerType": "mouse" });
        self.act(&json!([{ "type": "pointer", "id": "mouse", "parameters": parameters, "actions": actions }]))
    }

    fn act(&self, sources: &Value) -> Result<()> {
        self.driver.command("POST", "actions", Some(&json!({ "actions": sources }))).map(drop)
    }

    /// Waits until the page can be used, but not for ever.
    pub(super) fn rest(&self) {
        let began = Instant::now();
        while began.elapsed() < RESTING && self.driver.script(READY, &[]).is_ok_and(|ready| ready == false) {
            std::thread::sleep(LOOK);
        }
    }

    /// Whether what was to be pressed has not been: something else came under
    /// the pointer. Where the page is gone, it has been.
    fn went_elsewhere(&self) -> bool {
        let script = "const story = window.postroomStory; return !!story && story.listens && !story.landed";
        self.driver.script(script, &[]).is_ok_and(|answer| answer == true)
    }

    /// A step that follows must not come before the answer to what was sent;
    /// a download does not leave the page, so this is given up after a while.
    fn wait_to_leave(&self) {
        let stays = "return window.postroomStory !== undefined && !window.postroomStory.stayed";
        let began = Instant::now();
        while began.elapsed() < LEAVING && self.driver.script(stays, &[]).is_ok_and(|answer| answer == true) {
            std::thread::sleep(LOOK);
        }
    }

    /// The same for the part of the page that the answer goes into.
    fn wait_for_part(&self) {
        let script = "const story = window.postroomStory; return story ? [story.asked, story.answered] : null";
        let began = Instant::now();
        while began.elapsed() < LEAVING {
            let Ok(found) = self.driver.script(script, &[]) else { break };
            let (asked, answered) = (found[0].as_u64().unwrap_or(0), found[1].as_u64().unwrap_or(0));
            let idle = asked == 0 && began.elapsed() > BEGINNING;
            if found.is_null() || idle || (asked > 0 && answered >= asked) {
                break;
            }
            std::thread::sleep(LOOK);
        }
        self.rest();
    }
}

fn pointer(kind: &str) -> Value {
    json!({ "type": kind, "button": 0 })
}
