/**
 * The request templates of `integration: lambda` where the service gives none of its own, by what
 * they put into the event. Documented in
 * https://www.serverless.com/framework/docs/providers/aws/events/apigateway#default-request-templates.
 */
const event = `
#define( $loop ){
#foreach($key in $map.keySet())
#set( $k = $util.escapeJavaScript($key) )
#set( $v = $util.escapeJavaScript($map.get($key)).replaceAll("\\\\'", "'") )
"$k": "$v"#if( $foreach.hasNext ),#end
#end
}#end
{
  "body": $body,
  "method": "$context.httpMethod",
  "principalId": "$context.authorizer.principalId",
  "stage": "$context.stage",
  "cognitoPoolClaims": { extraCognitoPoolClaims "sub": "$context.authorizer.claims.sub" },
  #set( $map = $context.authorizer )
  "enhancedAuthContext": $loop,
  #set( $map = $input.params().header )
  "headers": $loop,
  #set( $map = $input.params().querystring )
  "query": $loop,
  #set( $map = $input.params().path )
  "path": $loop,
  #set( $map = $context.identity )
  "identity": $loop,
  #set( $map = $stageVariables )
  "stageVariables": $loop,
  "requestPath": "$context.resourcePath"
}`;

export const defaultJsonTemplate = `#set( $body = $input.json("$") )${event}`;

/** Makes an object of a form: `a=1&b=2`. */
export const defaultFormTemplate = `#define( $body ){
#foreach( $token in $input.path('$').split('&') )
#set( $pair = $token.split('=') )
#set( $name = $util.escapeJavaScript($util.urlDecode($pair[0])) )
#if( $pair.size() >= 2 )#set( $text = $util.escapeJavaScript($util.urlDecode($pair[1])).replaceAll("\\\\'", "'") )#else#set( $text = '' )#end
"$name": "$text"#if($foreach.hasNext),#end
#end
}#end${event}`;
