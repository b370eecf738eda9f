'use strict';

/** Variables of the shell that local runs use, and that nothing that is packaged may contain. */
const secretVariables = ['CURSOR_SECRET', 'OTEL_EXPORTER_OTLP_HEADERS', 'ROLLBAR_ACCESS_TOKEN'];

/**
 * Checks and completes what is deployed, by the stage's settings in `custom.stage`: refuses a stage
 * that is not complete, leaves out what the stage does not have, and keeps secrets and local
 * settings out of the package.
 */
module.exports = class StagePlugin {
  constructor(serverless, _options, { log }) {
    this.serverless = serverless;
    this.service = serverless.service;
    this.log = log;
    this.hooks = {
      initialize: () => this.selectFunctions(),
      'before:package:initialize': () => this.prepare(),
      'before:deploy:function:initialize': () => this.prepare(),
      'before:package:finalize': () => this.completeTemplate(),
      'after:aws:package:finalize:mergeCustomProviderResources': () => this.completeResources(),
      'before:deploy:deploy': () => this.checkParameters(),
    };
  }

  get stage() {
    return this.service.custom.stage;
  }

  get template() {
    return this.service.provider.compiledCloudFormationTemplate;
  }

  selectFunctions() {
    if (!this.stage.rollbarTest) delete this.service.functions['rollbar-test'];
    for (const [key, environments] of Object.entries(this.stage.reservedConcurrency)) {
      if (!this.service.functions[key])
        this.refuse(`custom.stage.reservedConcurrency names "${key}", which is not a function.`);
      this.service.functions[key].reservedConcurrency = environments;
    }
  }

  prepare() {
    this.checkSettings();
    const { environment } = this.service.provider;
    const isKept = (name) => name === 'OTEL_EXPORTER_OTLP_HEADERS' && this.service.custom.openTelemetry === 'community';
    for (const name of secretVariables) if (!isKept(name)) delete environment[name];
    delete this.service.custom.local;
    delete this.service.custom.consoleOrigins;
  }

  checkSettings() {
    const stage = this.serverless.getProvider('aws').getStage();
    const missing = this.stage.required.filter(({ value, unless }) => !value && unless !== this.stage.identity);
    const lines = missing.map(({ name, command }) => `  ${name}: ${command}`);
    const origins = String(this.service.provider.environment.FRONTEND_URL ?? '');
    if (stage !== 'dev' && /\b(localhost|127\.0\.0\.1)\b/.test(origins)) {
      lines.push(`  FRONTEND_URL names this machine ("${origins}"): export FRONTEND_URL=https://app.example.com`);
    }
    if (lines.length > 0) this.refuse(`The stage "${stage}" is not complete:\n${lines.join('\n')}`);
  }

  /**
   * The cursors' secret has to exist before the stage does; without a key a telemetry tool stays
   * off.
   */
  async checkParameters() {
    const stage = this.serverless.getProvider('aws').getStage();
    const { SSMClient, GetParametersCommand } = require('@aws-sdk/client-ssm');
    const client = new SSMClient(await this.serverless.getProvider('aws').getAwsSdkV3Config());
    const { cursorSecret, honeycombKey, rollbarToken } = this.service.custom.parameters;
    const Names = [cursorSecret, honeycombKey, rollbarToken];
    const { InvalidParameters = [] } = await client.send(new GetParametersCommand({ Names })).catch((error) => {
      this.refuse(`The parameter store could not be asked for ${Names.join(', ')}: ${error.message}`);
    });
    const command = (name) => `npx throughline secrets set ${name} --stage ${stage}`;
    if (stage !== 'dev' && InvalidParameters.includes(cursorSecret)) {
      this.refuse(`The parameter ${cursorSecret} does not exist: ${command('CURSOR_SECRET')}`);
    }
    for (const [parameter, tool, name] of [
      [cursorSecret, 'Pages after the first', 'CURSOR_SECRET'],
      [honeycombKey, 'Honeycomb', 'HONEYCOMB_KEY'],
      [rollbarToken, 'Rollbar', 'ROLLBAR_TOKEN'],
    ]) {
      if (InvalidParameters.includes(parameter))
        this.log.warning(`${tool} will not work: no parameter ${parameter} (${command(name)})`);
    }
  }

  /** Runs after the roles are made, one per function. */
  completeTemplate() {
    const resources = this.template.Resources;
    for (const resource of Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role')) {
      for (const { PolicyDocument } of resource.Properties.Policies ?? []) narrowLogStatements(PolicyDocument);
    }
    // No function uses the role that all of them would share.
    delete resources.IamRoleLambdaExecution;
    for (const { Type, Properties, ...resource } of Object.values(resources)) {
      // Fn::GetAtt orders a function after its role already.
      const role = Type === 'AWS::Lambda::Function' && Properties.Role?.['Fn::GetAtt']?.[0];
      if (role && Array.isArray(resource.DependsOn))
        resource.DependsOn.splice(0, Infinity, ...resource.DependsOn.filter((id) => id !== role));
    }
    const deployment = Object.keys(resources).find((id) => resources[id].Type === 'AWS::ApiGateway::Deployment');
    if (!deployment) return;
    delete resources[deployment].Properties.StageName;
    delete resources[deployment].Properties.StageDescription;
    this.deploymentId = deployment;
  }

  completeResources() {
    const { Resources } = this.template;
    if (Resources.ApiGatewayStage && this.deploymentId) {
      Resources.ApiGatewayStage.Properties.DeploymentId = { Ref: this.deploymentId };
    }
    // An emulator lacks some types: rehearsal/left-out.json names them, and `npm run rehearse`
    // chooses the emulator.
    const emulator = process.env.REHEARSAL_EMULATOR;
    if (!emulator) return;
    const leftOut =
      require('../rehearsal/left-out.json')[emulator]?.types ??
      this.refuse(`rehearsal/left-out.json does not list "${emulator}".`);
    for (const [id, { Type }] of Object.entries(Resources)) if (leftOut.includes(Type)) delete Resources[id];
  }

  /** Ends the command with a sentence; a string is printed without a stack. */
  refuse(sentence) {
    throw new this.serverless.classes.Error(sentence, 'STAGE_NOT_COMPLETE');
  }
};

/**
 * A function that may create its log group would leave one behind after `sls remove`: the next
 * deploy would fail.
 */
function narrowLogStatements({ Statement }) {
  for (const statement of Statement) {
    if (!Array.isArray(statement.Action) || !statement.Action.includes('logs:CreateLogGroup')) continue;
    statement.Action = statement.Action.filter((action) => action !== 'logs:CreateLogGroup');
  }
}
