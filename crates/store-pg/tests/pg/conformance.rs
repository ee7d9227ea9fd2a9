//! What every store promises, one test each: in one schema, and spread over four.

mod one {
    use crate::homes::Homes;

    zhiyin_store::conformance!(Homes::new(1));
}

mod four {
    use crate::homes::Homes;

    zhiyin_store::conformance!(Homes::new(4));
}
