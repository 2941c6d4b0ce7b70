#[track_caller]
pub fn size<'work>(page: &'work str, scale: u64) -> ::asynckit::Work<'work, u64> {
    return {
        let __called = ::asynckit::__private::called(
            &::core::concat!(::core::module_path!(), "::", "size"),
            const { ::asynckit::__private::defined() },
        );
        ::asynckit::__private::retried(
            __called,
            3,
            ::core::time::Duration::new(0u64, 0u32),
            move || {
                let page = {
                    let first = &page;
                    ::asynckit::__private::again(first)
                };
                let scale = {
                    let first = &scale;
                    ::asynckit::__private::again(first)
                };
                {
                    let __limit = {
                        static __ASYNCKIT_LIMIT: ::asynckit::__private::StaticLimit = ::asynckit::__private::StaticLimit::new(
                            8,
                        );
                        &__ASYNCKIT_LIMIT
                    };
                    let __limit = &__limit
                        .take(
                            ::asynckit::__private::weight({
                                #[allow(unused_variables)]
                                let page = &page;
                                #[allow(unused_variables)]
                                let scale = &scale;
                                page.len()
                            }),
                        );
                    ::asynckit::Work::limit(
                        {
                            let __rate = {
                                static __ASYNCKIT_RATE: ::asynckit::__private::StaticRate = ::asynckit::__private::StaticRate::new(
                                    2u32,
                                    ::core::time::Duration::new(1u64, 0u32),
                                    1,
                                );
                                &__ASYNCKIT_RATE
                            };
                            ::asynckit::Work::rate(
                                {
                                    ::asynckit_cluster::attribute::argument::<str>();
                                    ::asynckit_cluster::attribute::argument::<u64>();
                                    ::asynckit_cluster::attribute::value::<u64>();
                                    fn __call<'work>(
                                        __called: ::asynckit::__private::Hop,
                                        page: &'work str,
                                        scale: u64,
                                    ) -> ::asynckit::Work<'work, u64> {
                                        ::asynckit::__private::sync_work(
                                            __called,
                                            ::asynckit::__private::AsValue,
                                            move || -> u64 {
                                                let page = page;
                                                let scale = scale;
                                                #[allow(clippy::diverging_sub_expression)]
                                                let __value: u64 = { page.len() as u64 * scale };
                                                #[allow(unreachable_code)] return __value;
                                            },
                                        )
                                    }
                                    static __ASYNCKIT_FUNCTION: ::asynckit::__private::Function = ::asynckit::__private::Function::new(
                                        ::core::concat!(::core::module_path!(), "::", "size"),
                                        "fn size ( page : & str , scale : u64 ) - > u64",
                                        b"ifn\0isize\0(ipage\0p:p&istr\0p,iscale\0p:iu64\0)p-p>iu64\0\n{ipage\0p.ilen\0()ias\0iu64\0p*iscale\0}\n",
                                        &["page", "scale"],
                                    );
                                    static __ASYNCKIT_SETTINGS: ::asynckit_cluster::attribute::Remote = ::asynckit_cluster::attribute::Remote::new()
                                        .deliveries(1);
                                    ::asynckit::__serve! {
                                        ::asynckit::__private::Served::new(& __ASYNCKIT_FUNCTION, &
                                        __ASYNCKIT_SETTINGS, | mut __given | { let __arrive = {
                                        #[allow(unused_imports)] use
                                        ::asynckit::__private::unserved:: *; {
                                        #[allow(unused_imports)] use ::asynckit_cluster::attribute::
                                        *; Arrive } }; let page = __given.next:: < str, _ > (&
                                        __arrive, "page") ?; let page =
                                        ::asynckit::__private::lent:: < str, _ > (& __arrive, &
                                        page); let scale = __given.next:: < u64, _ > (& __arrive,
                                        "scale") ?; let scale = ::asynckit::__private::owned:: <
                                        u64, _ > (& __arrive, scale); __given.end() ?; let __called
                                        = ::asynckit::__private::called(&
                                        ::core::concat!(::core::module_path!(), "::", "size"), const
                                        { ::asynckit::__private::defined() }); __given.run(&
                                        __arrive, __call(__called, page, scale));
                                        ::asynckit::__private::Ok(()) })
                                    }
                                    let __arguments = ();
                                    let __arguments = (scale, __arguments);
                                    let __arguments = (page, __arguments);
                                    ::asynckit::__private::carried(
                                        __called,
                                        ::asynckit::__private::About {
                                            function: &__ASYNCKIT_FUNCTION,
                                            settings: &__ASYNCKIT_SETTINGS,
                                            known: false,
                                        },
                                        ::asynckit_cluster::attribute::Bytes,
                                        &|| {},
                                        __arguments,
                                        move |__arguments| {
                                            let (page, __arguments) = __arguments;
                                            let (scale, __arguments) = __arguments;
                                            let () = __arguments;
                                            __call(__called, page, scale)
                                        },
                                    )
                                },
                                __rate,
                            )
                        },
                        __limit,
                    )
                }
            },
        )
    };
}
