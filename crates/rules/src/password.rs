//! What a password must be: long, and not what everybody tries first. No
//! composition rules (NIST SP 800-63B, section 3.1.1.2): they make passwords
//! worse.

use model::{Refusal, Words, words};

/// Characters.
pub const SHORTEST: usize = 12;
/// Octets; more would only cost time.
pub const LONGEST: usize = 1024;
/// Different characters.
const FEWEST_DIFFERENT: usize = 5;

/// What is tried first, without regard to case; words that passwords of
/// enough length are made of.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "postroom",
    "qwertz",
    "qwerty",
    "letmein",
    "welcome",
    "iloveyou",
    "administrator",
    "admin",
    "changeme",
    "secret",
    "abcdefgh",
    "12345678",
    "87654321",
    "123456",
    "trustno1",
    "dragon",
    "monkey",
    "football",
];

/// `names`: what is known of the user: user name, address, first and last name.
pub fn check(password: &str, names: &[&str]) -> Result<(), Refusal> {
    let length = password.chars().count();
    if length < SHORTEST {
        return refuse(words!("The password has {0} characters; it needs at least {1}.", length, SHORTEST));
    }
    if password.len() > LONGEST {
        return refuse(words!("The password is longer than {0} bytes.", LONGEST));
    }
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < FEWEST_DIFFERENT {
        return refuse(words!("The password repeats a few characters. Take a longer phrase."));
    }
    let folded = password.to_lowercase();
    for name in names.iter().flat_map(|name| parts(name)) {
        if rest(&folded, &name).chars().count() < SHORTEST / 2 {
            return refuse(words!("The password is little more than the user's name. Take another."));
        }
    }
    let left = COMMON.iter().fold(folded, |left, word| rest(&left, word));
    if left.chars().filter(|c| c.is_alphanumeric()).count() < SHORTEST / 3 {
        return refuse(words!("The password is one of those that are tried first. Take a longer phrase."));
    }
    Ok(())
}

/// The name itself, and an address without its domain.
fn parts(name: &str) -> Vec<String> {
    let name = name.trim().to_lowercase();
    let local = name.split('@').next().unwrap_or_default().to_owned();
    let mut parts = vec![name, local];
    parts.retain(|part| part.chars().count() >= 3);
    parts.dedup();
    parts
}

fn rest(password: &str, word: &str) -> String {
    password.replace(word, "")
}

fn refuse(message: Words) -> Result<(), Refusal> {
    Err(Refusal::invalid(Some("password"), message))
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(password: &str, allowed: bool) {
        let names = ["ann.lee@example.com", "Ann", "Lee"];
        assert_eq!(super::check(password, &names).is_ok(), allowed, "{password}");
    }

    #[test]
    fn short() {
        check("", false);
        check("Xy7!kQ9-pLz", false);
    }
    #[test]
    fn long_enough_without_any_composition() {
        check("correct horse battery", true);
        check("zwölf zeichen", true);
    }
    #[test]
    fn characters_count_and_not_octets() {
        check("äöüäöüßéè", false);
    }
    #[test]
    fn repetition() {
        check("aaaaaaaaaaaaaaaa", false);
        check("abababababababab", false);
    }
    #[test]
    fn the_name() {
        check("ann.lee@example.com", false);
        check("ANN.LEEann.lee", false);
        check("ann.lee12345", false);
        check("ann.lee walks by the river", true);
    }
    #[test]
    fn what_is_tried_first() {
        check("passwordpassword", false);
        check("Password1234567", false);
        check("password12345678", false);
        check("qwertyqwerty!!", false);
        check("PostroomAdmin123456", false);
    }
    #[test]
    fn far_too_long() {
        check(&"correct horse ".repeat(100), false);
    }
    #[test]
    fn a_user_without_names() {
        assert!(super::check("correct horse battery", &["", "x"]).is_ok());
    }
}
