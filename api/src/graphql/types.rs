//! Registry entries made from tables: what the derive macros would make, for types that follow from
//! the catalogue.

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{
    Deprecation, MetaDirectiveInvocation, MetaEnumValue, MetaField, MetaInputValue, MetaType,
};

/// One field of an object type.
pub(super) struct FieldType {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) ty: String,
    pub(super) args: Vec<MetaInputValue>,
    pub(super) directives: Vec<MetaDirectiveInvocation>,
}

impl FieldType {
    pub(super) fn new(name: &str, ty: impl Into<String>, description: impl Into<String>) -> Self {
        let (name, ty, description) = (name.to_owned(), ty.into(), description.into());
        FieldType { name, description, ty, args: Vec::new(), directives: Vec::new() }
    }
}

pub(super) fn object(name: &str, description: &str, fields: Vec<FieldType>) -> MetaType {
    let fields = fields.into_iter().map(|field| {
        let FieldType { name, description, ty, args, directives } = field;
        let meta = MetaField {
            name: name.clone(),
            description: Some(description),
            args: args.into_iter().map(|arg| (arg.name.clone(), arg)).collect(),
            ty,
            deprecation: Deprecation::NoDeprecated,
            cache_control: Default::default(),
            external: false,
            requires: None,
            provides: None,
            visible: None,
            shareable: false,
            inaccessible: false,
            tags: Vec::new(),
            override_from: None,
            compute_complexity: None,
            directive_invocations: directives,
            requires_scopes: Vec::new(),
        };
        (name, meta)
    });
    MetaType::Object {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        fields: fields.collect::<IndexMap<_, _>>(),
        cache_control: Default::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        keys: None,
        visible: None,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        is_subscription: false,
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

pub(super) fn input_value(name: &str, ty: &str, description: &str, default: Option<&str>) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ty: ty.to_owned(),
        deprecation: Deprecation::NoDeprecated,
        default_value: default.map(str::to_owned),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

pub(super) fn input_object(name: &str, description: &str, fields: Vec<MetaInputValue>) -> MetaType {
    MetaType::InputObject {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        input_fields: fields.into_iter().map(|field| (field.name.clone(), field)).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        oneof: false,
        directive_invocations: Vec::new(),
    }
}

/// An input object of which exactly one field is given.
pub(super) fn one_of(name: &str, description: &str, fields: Vec<MetaInputValue>) -> MetaType {
    let mut meta = input_object(name, description, fields);
    if let MetaType::InputObject { oneof, .. } = &mut meta {
        *oneof = true;
    }
    meta
}

pub(super) fn enumeration<'a>(
    name: &str,
    description: &str,
    values: impl Iterator<Item = (&'a str, String)>,
) -> MetaType {
    let value = |(name, description): (&str, String)| {
        let meta = MetaEnumValue {
            name: name.to_owned(),
            description: Some(description),
            deprecation: Deprecation::NoDeprecated,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            directive_invocations: Vec::new(),
        };
        (name.to_owned(), meta)
    };
    MetaType::Enum {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        enum_values: values.map(value).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

pub(super) fn scalar(name: &str, description: &str, specified_by: Option<&str>) -> MetaType {
    MetaType::Scalar {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        is_valid: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        specified_by_url: specified_by.map(str::to_owned),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}
