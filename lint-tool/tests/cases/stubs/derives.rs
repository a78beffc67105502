//! Derives and an attribute that do nothing.
extern crate proc_macro;
use proc_macro::TokenStream;

macro_rules! derives {
    ($($name:ident $function:ident,)*) => {$(
        #[proc_macro_derive($name, attributes(serde, sqlx, diesel))]
        pub fn $function(_: TokenStream) -> TokenStream {
            TokenStream::new()
        }
    )*};
}
derives! {
    FromRow from_row, Type type_, Serialize serialize, Deserialize deserialize, Queryable queryable,
    Insertable insertable,
}

#[proc_macro_attribute]
pub fn attr(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}
