//! Forgetting a step does not compile: the argument of ARCHITECTURE.md, shown.

#[test]
fn a_path_that_skips_a_step_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile_fail/whole_path.rs");
    cases.compile_fail("tests/compile_fail/unjudged.rs");
    cases.compile_fail("tests/compile_fail/unrecorded.rs");
    cases.compile_fail("tests/compile_fail/forged_receipt.rs");
    cases.compile_fail("tests/compile_fail/receipt_for_another.rs");
    cases.compile_fail("tests/compile_fail/unmasked.rs");
    cases.compile_fail("tests/compile_fail/forged_mask.rs");
}
