/** One deployment is one account; its id is part of every record's key, so that a second one can join without a move. */
export const ACCOUNT = 'default';
