//! The limits of one user, by a clock that stands where it is put.

use super::*;

const LIMITS: Limits = Limits { user_requests: 3, user_seconds: 10, user_concurrent: 2, address_failures: 2 };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A user who asked at these seconds, each request having taken so long.
fn used(requests: &[(i64, u64)]) -> Usage {
    let mut usage = Usage::default();
    for (second, took) in requests {
        usage.enter(&Limits { user_requests: 0, user_seconds: 0, ..LIMITS }, at(*second)).unwrap();
        usage.leave(at(*second), Duration::from_secs(*took));
    }
    usage
}

#[track_caller]
fn check(requests: &[(i64, u64)], now: i64, expected: Result<(u64, u64), Exceeded>) {
    let entered = used(requests).enter(&LIMITS, at(now));
    let shown = entered.map(|left| (left.requests.unwrap(), left.time.unwrap().as_secs()));
    assert_eq!(shown, expected);
}

#[test]
fn the_first() {
    check(&[], 0, Ok((2, 10)));
}
#[test]
fn the_last_that_may() {
    check(&[(0, 1), (1, 1)], 2, Ok((0, 8)));
}
#[test]
fn one_too_many() {
    check(&[(0, 1), (1, 1), (2, 1)], 5, Err(Exceeded::Requests { limit: 3, retry_after: 305 }));
}
#[test]
fn after_the_wait_it_may() {
    check(&[(0, 1), (1, 1), (2, 1)], 310, Ok((2, 10)));
}
#[test]
fn too_long() {
    check(&[(0, 4), (100, 6)], 120, Err(Exceeded::Time { limit: 10, retry_after: 190 }));
}
#[test]
fn nearly_too_long() {
    check(&[(0, 4), (100, 5)], 120, Ok((0, 1)));
}

#[test]
fn too_many_at_a_time() {
    let mut usage = Usage::default();
    usage.enter(&LIMITS, at(0)).unwrap();
    usage.enter(&LIMITS, at(0)).unwrap();
    assert_eq!(usage.enter(&LIMITS, at(0)), Err(Exceeded::Concurrent { limit: 2 }));
    usage.leave(at(0), Duration::ZERO);
    assert!(usage.enter(&LIMITS, at(0)).is_ok());
}

#[test]
fn a_refused_request_is_not_counted() {
    let mut usage = used(&[(0, 0), (0, 0), (0, 0)]);
    for second in 1..300 {
        assert!(usage.enter(&LIMITS, at(second)).is_err());
    }
    assert!(usage.enter(&LIMITS, at(310)).is_ok());
}

#[test]
fn no_limit() {
    let none = Limits { user_requests: 0, user_seconds: 0, user_concurrent: 0, address_failures: 0 };
    let mut usage = Usage::default();
    for _ in 0..100_000 {
        assert_eq!(usage.enter(&none, at(0)), Ok(Remaining::default()));
    }
}

#[test]
fn a_place_is_given_back() {
    let limiter = Limiter::new(Limits { user_requests: 0, ..LIMITS });
    let (ann, bob) = (Id::from_u128(1), Id::from_u128(2));
    let mut permits: Vec<Permit> = (0..2).map(|_| limiter.enter(ann, at(0)).unwrap()).collect();
    assert!(limiter.enter(ann, at(0)).is_err());
    assert!(limiter.enter(bob, at(0)).is_ok());
    permits.pop();
    assert!(limiter.enter(ann, at(0)).is_ok());
}

#[test]
fn users_who_went_are_forgotten() {
    let limiter = Limiter::new(LIMITS);
    for n in 0..5000 {
        drop(limiter.enter(Id::from_u128(n), at(n as i64 * 10)));
    }
    assert!(limiter.users.lock().unwrap().len() <= MANY);
}

#[test]
fn each_limit_has_its_code() {
    let code = |exceeded: Exceeded| exceeded.refusal().code;
    assert_eq!(code(Exceeded::Requests { limit: 1, retry_after: 1 }), 0x8007_2322);
    assert_eq!(code(Exceeded::Time { limit: 1, retry_after: 1 }), 0x8007_2321);
    assert_eq!(code(Exceeded::Concurrent { limit: 1 }), 0x8007_2326);
}
