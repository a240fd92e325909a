//! How much one document may be, in one table. The README has the same table, and a test compares them.

macro_rules! limits {
    ($($variant:ident $name:literal $most:literal en $en:literal sv $sv:literal;)+) => {
        /// What is counted of a document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Limit { $(#[doc = $en] $variant,)+ }

        impl Limit {
            /// Every limit, in the order in which they are looked at.
            pub const ALL: &'static [Limit] = &[$(Limit::$variant,)+];

            /// Its name, as in `extensions.counted`.
            pub const fn name(self) -> &'static str {
                match self { $(Limit::$variant => $name,)+ }
            }

            /// The most that is taken.
            pub const fn most(self) -> u64 {
                match self { $(Limit::$variant => $most,)+ }
            }

            /// What is counted, in English and in Swedish.
            pub const fn counted(self) -> (&'static str, &'static str) {
                match self { $(Limit::$variant => ($en, $sv),)+ }
            }
        }
    };
}

limits! {
    // The text, before it is parsed.
    Length "length" 32_768
        en "bytes" sv "byte";
    Nesting "nesting" 64
        en "brackets of any kind inside one another" sv "parenteser av något slag inuti varandra";
    Tokens "tokens" 1_200
        en "tokens" sv "lexikala enheter";
    Word "word" 128
        en "characters in one name or number" sv "tecken i ett namn eller tal";
    Directives "directives" 100
        en "directives" sv "direktiv";
    Variables "variables" 50
        en "variables" sv "variabler";
    // The document, parsed.
    Operations "operations" 10
        en "operations" sv "operationer";
    Fragments "fragments" 100
        en "fragments" sv "fragment";
    Circles "circles" 0
        en "fragments that spread themselves" sv "fragment som sprider sig själva";
    // With every fragment in place.
    Depth "depth" 30
        en "selections inside one another" sv "urval inuti varandra";
    Selections "selections" 5_000
        en "fields and spreads" sv "fält och spridningar";
    Aliases "aliases" 200
        en "aliases" sv "alias";
    Roots "roots" 20
        en "fields at the root" sv "fält i roten";
    // With its variables.
    InputDepth "inputDepth" 16
        en "lists and objects inside one another in the variables" sv "listor och objekt inuti varandra i variablerna";
    InputValues "inputValues" 10_000
        en "values in the variables" sv "värden i variablerna";
    Input "input" 1_048_576
        en "bytes of variables, times their uses" sv "byte i variabler, gånger deras användningar";
    Cost "cost" 200_000
        en "values that the answer may hold" sv "värden som svaret kan rymma";
}

/// A limit that a document is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub limit: Limit,
    /// What the document has of it; at least that much, where counting stopped.
    pub found: u64,
}

impl Limit {
    /// Whether so much is taken.
    ///
    /// # Errors
    ///
    /// It is more than the limit.
    pub const fn check(self, found: u64) -> Result<(), Exceeded> {
        if found > self.most() { Err(Exceeded { limit: self, found }) } else { Ok(()) }
    }
}
