fn expanded() {
    match ::asynckit::__private::chain_place(&&pool) {
        #[allow(unreachable_code)]
        ref __place => {
            #[allow(unused_imports)]
            use ::asynckit::__private::{
                EachUnchanged as _, ProbedUnchanged as _, Probe as _, LooseStarted as _,
                LooseUnchanged as _,
            };
            {
                let a = download("a".into()).__probe().__each().__start(__place);
                ::asynckit::__private::end_of_chain(
                    ::asynckit::__private::same::<_>(__place),
                    ::asynckit::__private::same(
                            match ::asynckit::__private::lift(
                                __place,
                                (
                                    ::asynckit::__private::same(
                                            match ::asynckit::__private::lift(
                                                __place,
                                                (::asynckit::__private::probe(&a).__lend(), ()),
                                            ) {
                                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                                ::asynckit::__private::Lifted::Now(
                                                    __now,
                                                    (mut __input0, ()),
                                                ) => {
                                                    size(::asynckit::__private::give::<_>(&mut __input0))
                                                        .__probed(__now)
                                                }
                                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                                ::asynckit::__private::Lifted::Later(__later) => {
                                                    ::asynckit::__private::same(__later)
                                                        .__call(
                                                            ::asynckit::__private::call_site(&"size"),
                                                            move |__here, (mut __input0, ())| {
                                                                size(::asynckit::__private::give::<_>(&mut __input0))
                                                                    .__probe()
                                                                    .__finish(__here)
                                                            },
                                                        )
                                                }
                                            },
                                        )
                                        .__each()
                                        .__arg(__place),
                                    (b.__probe().__each().__arg(__place), ()),
                                ),
                            ) {
                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                ::asynckit::__private::Lifted::Now(
                                    __now,
                                    (mut __input0, (mut __input1, ())),
                                ) => {
                                    merge(
                                            ::asynckit::__private::give(&mut __input0),
                                            ::asynckit::__private::give::<_>(&mut __input1),
                                        )
                                        .__probed(__now)
                                }
                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                ::asynckit::__private::Lifted::Later(__later) => {
                                    ::asynckit::__private::same(__later)
                                        .__call(
                                            ::asynckit::__private::call_site(&"merge"),
                                            move |__here, (mut __input0, (mut __input1, ()))| {
                                                merge(
                                                        ::asynckit::__private::give(&mut __input0),
                                                        ::asynckit::__private::give::<_>(&mut __input1),
                                                    )
                                                    .__probe()
                                                    .__finish(__here)
                                            },
                                        )
                                }
                            },
                        )
                        .__start(__place),
                )
            }
        }
    }
}
