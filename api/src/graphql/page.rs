//! Pages of lists whose entries are plain objects (Relay).

/// A connection type, its edge, and how a page of the session becomes one.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $page:literal, $entry:literal) => {
        #[doc = $page]
        #[derive(async_graphql::SimpleObject)]
        pub(super) struct $connection {
            /// The entries of the page, with their cursors.
            edges: Vec<$edge>,
            /// The entries of the page.
            nodes: Vec<$node>,
            /// Whether more follow, and from where.
            page_info: async_graphql::connection::PageInfo,
        }

        #[doc = $entry]
        #[derive(async_graphql::SimpleObject)]
        pub(super) struct $edge {
            /// Where the entry stands in the list; opaque.
            cursor: String,
            /// The entry.
            node: $node,
        }

        impl $connection {
            /// A page; `is_later` says that there is one before.
            pub(super) fn new(items: Vec<(String, $node)>, has_next: bool, is_later: bool) -> Self {
                let cursor = |item: Option<&(String, $node)>| item.map(|(cursor, _)| cursor.clone());
                let page_info = async_graphql::connection::PageInfo {
                    has_previous_page: is_later,
                    has_next_page: has_next,
                    start_cursor: cursor(items.first()),
                    end_cursor: cursor(items.last()),
                };
                let nodes = items.iter().map(|(_, node)| node.clone()).collect();
                let edges = items.into_iter().map(|(cursor, node)| $edge { cursor, node }).collect();
                $connection { edges, nodes, page_info }
            }
        }
    };
}

pub(super) use connection;
