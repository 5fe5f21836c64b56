// The search that one comes from, for the way back to its results: of this tab, until
// somebody else signs in.
let address = "";
let owner = "";

export function keepSearch(user: string, where: string): void {
    owner = user;
    address = where;
}

/** "": there was none. */
export function lastSearch(user: string): string {
    return user === owner ? address : "";
}
