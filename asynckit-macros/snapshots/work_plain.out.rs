#[track_caller]
pub fn add(a: u32, b: u32) -> ::asynckit::Work<'static, u32> {
    return ::asynckit::__private::sync_work(
        ::asynckit::__private::called(
            &::core::concat!(::core::module_path!(), "::", "add"),
            const { ::asynckit::__private::defined() },
        ),
        ::asynckit::__private::AsValue,
        move || -> u32 {
            let a = a;
            let b = b;
            #[allow(clippy::diverging_sub_expression)]
            let __value: u32 = { a + b };
            #[allow(unreachable_code)] return __value;
        },
    );
}
