/**
 * Stands in bundles for `semver`, of which the X-Ray SDK uses one function, in its capture of AWS
 * SDK 2. Named in `custom.build.esbuild.alias` of serverless.yml: remove that line when a package
 * needs semver.
 */
export function gte(): never {
  throw new Error('captureAWS() of AWS SDK 2 is left out of this bundle: see src/build/no-semver.ts.');
}
