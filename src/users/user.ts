/** The caller of a request, as its token says. The profile is looked up by handle. */
export interface Identity {
  /** Stable and not secret: telemetry names the user by it. */
  id: string;
  handle: string;
}

/** The public fields of a user. */
export interface UserShort {
  uuid: string;
  handle: string;
  display_name: string;
}

export interface Profile extends UserShort {
  bio: string;
}
