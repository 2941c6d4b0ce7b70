#[track_caller]
pub fn add(a: u32, b: u32) -> ::asynckit::Work<'static, u32> {
    return ::asynckit::__private::plain_work(
        &::core::concat!(::core::module_path!(), "::", "add"),
        const { ::asynckit::__private::defined() },
        move || -> u32 {
            let a = a;
            let b = b;
            #[allow(clippy::diverging_sub_expression)]
            let __value: u32 = { a + b };
            #[allow(unreachable_code)] return __value;
        },
    );
}
