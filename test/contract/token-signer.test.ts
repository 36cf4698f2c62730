import { signerGround } from '../integration/sts/signer-ground.ts';
import { tokenSignerContract } from './token-signer.ts';

tokenSignerContract('the file signer', signerGround);
