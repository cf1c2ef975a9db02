//! Enums whose values have one fixed spelling each, the same in the API and in the database.

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $value:ident => $word:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $value),+ }

        impl $name {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }

            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$value),)+ _ => None }
            }
        }
    )+};
}

pub(crate) use words;
