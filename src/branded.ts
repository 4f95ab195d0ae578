declare const brand: unique symbol

/**
 * A value that one particular stage has established something about. Only that stage makes it,
 * and whoever needs the fact asks for the type, so that leaving the stage out does not compile.
 */
export type Branded<Value, Fact extends string> = Value & { readonly [brand]: { readonly [Name in Fact]: true } }
