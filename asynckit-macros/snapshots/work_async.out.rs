#[track_caller]
fn waits(input: AsyncResult<u8>) -> ::asynckit::Work<'static, u8> {
    ::asynckit::__private::work_moves_to_another_thread::<AsyncResult<u8>>();
    ::asynckit::__private::work_moves_to_another_thread::<u8>();
    ::asynckit::__private::returns_a_result::<asynckit::Result<u8>>();
    {
        let __body = async move {
            let input = input;
            #[allow(clippy::diverging_sub_expression)]
            let __value: asynckit::Result<u8> = { input.await };
            #[allow(unreachable_code)] return __value;
        };
        ::asynckit::__private::fallible_async_work(
            &::core::concat!(::core::module_path!(), "::", "waits"),
            ::asynckit::__private::async_errors_of(&__body).way(),
            __body,
        )
    }
}
