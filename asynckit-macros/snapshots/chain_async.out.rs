fn expanded() {
    match &pool {
        #[allow(unreachable_code)]
        ref __borrowed => {
            let __place = ::asynckit::__private::owned_place::<
                _,
            >(::asynckit::__private::same::<_>(__borrowed));
            ::asynckit::__private::chain_future(
                &::core::clone::Clone::clone(&__place),
                ::asynckit::__private::call_site(&"chain"),
                async move {
                    #[allow(unused_imports)]
                    use ::asynckit::__private::{
                        EachUnchanged as _, ProbedUnchanged as _, Probe as _,
                        LooseStarted as _, LooseUnchanged as _,
                    };
                    let __place = &__place;
                    {
                        if ::asynckit::__private::same(
                                match ::asynckit::__private::lift(
                                    __place,
                                    (::asynckit::__private::probe(&page).__lend(), ()),
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
                            .__start(__place)
                            .await? < 3
                        {
                            return ::asynckit::__private::Ok::<
                                _,
                                ::asynckit::__private::Thrown,
                            >(
                                ::asynckit::__private::end_of_block(
                                    __place,
                                    merge(0, 0).__probe().__start(__place),
                                ),
                            );
                        }
                        {
                            let __never: ::asynckit::__private::Infallible = Err(error)?;
                            match __never {}
                        }
                    }
                },
            )
        }
    }
}
