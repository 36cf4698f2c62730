import type { LogLevel } from './host-log.ts';

/** The part of the host's RPC contract that @azure/functions 4.16 reads and writes and that this host uses. */
export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly http?: RpcHttp;
  readonly int?: number;
  readonly double?: number;
}

export interface RpcHttp {
  readonly method?: string;
  readonly url?: string;
  readonly nullableHeaders?: Readonly<Record<string, NullableText>>;
  readonly nullableQuery?: Readonly<Record<string, NullableText>>;
  readonly nullableParams?: Readonly<Record<string, NullableText>>;
  readonly statusCode?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly RpcCookie[];
  readonly body?: TypedData | null;
}

export interface NullableText {
  readonly value: string;
}

export interface RpcCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: NullableText;
  readonly path?: NullableText;
  readonly expires?: { readonly value: { readonly seconds: number } };
  readonly secure?: { readonly value: boolean };
  readonly httpOnly?: { readonly value: boolean };
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  readonly maxAge?: { readonly value: number };
}

/** One binding of a function: `type` and `direction` always, then whatever its trigger or binding says. */
export interface Binding {
  readonly type: string;
  readonly direction?: string;
  readonly [option: string]: unknown;
}

export interface FunctionMetadata {
  readonly name: string;
  readonly functionId?: string;
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly retryOptions?: unknown;
}

export type FunctionCallback = (...inputs: unknown[]) => unknown;

interface RpcInput {
  readonly name: string;
  readonly data: TypedData;
}

interface InvocationRequest {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly RpcInput[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
}

export interface InvocationResponse {
  readonly returnValue?: TypedData | null;
}

export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly request: InvocationRequest;
  readonly metadata: FunctionMetadata;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks';
  log(level: LogLevel, category: string, message: string): void;
}

/** What `@azure/functions` hands over with `setProgrammingModel`: it turns RPC data into handler arguments and back. */
export interface ProgrammingModel {
  getCapabilities(defaults: Record<string, string>): Promise<Record<string, string>> | Record<string, string>;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
}

interface InvocationModel {
  getArguments(): Promise<{ readonly context: unknown; readonly inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}
