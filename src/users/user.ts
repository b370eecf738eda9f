/** Who a request is from, as far as its identity says: the profile is looked up by handle. */
export interface Identity {
  /** Stable and no secret: what telemetry calls the user. */
  id: string;
  handle: string;
}

/** What a route tells of a user. */
export interface UserShort {
  uuid: string;
  handle: string;
  display_name: string;
}

export interface Profile extends UserShort {
  bio: string;
}
