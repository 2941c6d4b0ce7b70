#[track_caller]
fn read<'work>(
    &'work self,
    path: &'work str,
    unused: u8,
) -> ::asynckit::Work<'work, Vec<u8>> {
    ::asynckit::__private::work_moves_to_another_thread::<Vec<u8>>();
    ::asynckit::__private::returns_a_result::<std::io::Result<Vec<u8>>>();
    return {
        let __body = move || -> std::io::Result<Vec<u8>> {
            let _ = &self;
            let path = path;
            #[allow(clippy::no_effect_underscore_binding)]
            let _unused = unused;
            #[allow(clippy::diverging_sub_expression)]
            let __value: std::io::Result<Vec<u8>> = { std::fs::read(path) };
            #[allow(unreachable_code)] return __value;
        };
        ::asynckit::__private::sync_work(
            ::asynckit::__private::called(
                &::core::concat!(::core::module_path!(), "::", "read"),
                const { ::asynckit::__private::defined() },
            ),
            ::asynckit::__private::errors_of(&__body).way(),
            __body,
        )
    };
}
