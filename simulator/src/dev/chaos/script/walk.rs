//! Where workers are killed in any case: at the next request with each seed, so that as many runs as there are steps kill at
//! every one of them.

use super::Moment;

/// As many as `make test` plays runs.
pub const STEPS: u64 = 24;

/// In the first pass and in the one that follows it: on both sides of the request.
pub fn installing(seed: u64) -> [Moment; 2] {
    let first = removing(seed);
    let then = Moment {
        performed: !first.performed,
        ..first
    };
    [first, then]
}

/// Before the request, or after it took effect: one in this walk over all of them, the other in the next.
pub fn removing(seed: u64) -> Moment {
    let (step, walk) = (seed % STEPS, seed / STEPS);
    let (service, skip) = request(step as u32);
    Moment {
        service,
        skip,
        performed: (step + walk) % 2 == 1,
    }
}

/// A first pass over a few queues asks Connect about so often, and lets the function be called and writes the snapshot.
fn request(step: u32) -> (&'static str, u32) {
    match step {
        0..20 => ("connect", step),
        20..22 => ("lambda", step - 20),
        _ => ("dynamodb", step - 22),
    }
}
